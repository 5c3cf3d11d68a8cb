//! Writes the messages of concurrent senders in groups: one statement and one commit for many of them.
//!
//! What makes a message durable is the commit, and a commit waits for the disk. While one is under way
//! the next group gathers, so a server that is idle adds no delay and one that is busy writes many
//! messages with each wait. A session always goes to the same lane, and a lane has one group in flight:
//! so groups of one process never wait for each other, and a session's messages keep their order.
//!
//! The invariants: whoever is answered is committed; the queues are bounded; one message that Postgres
//! refuses fails alone.

mod lane;

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::Problem;
use halobestie_core::pg::DbError;
use prometheus::IntGauge;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

pub(crate) use self::lane::Lane;
use self::lane::Order;
use crate::error::ChatError;
use crate::messages::{NewMessage, Sent};

/// Groups in flight a process. Two keep Postgres busy while one waits for the disk; more only make the
/// groups smaller (measured: BENCHMARKS.md).
pub(crate) const LANES: usize = 2;
/// How many messages may wait in a lane. At 16 KiB a body this bounds the memory; past it, senders are
/// told at once.
const WAITING_MAX: usize = 2048;
/// How long a message may wait to be written, with one deadline of Postgres before its own. Nobody
/// waits for it after that, so it is not begun any more.
const PATIENCE: Duration = Duration::from_secs(12);

/// Why a message was not written.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// There is no such session of this sender.
    NotFound,
    /// The session does not take messages.
    NotActive,
    /// Postgres did not do it; the same cause for everybody whom it hit.
    Failed(Arc<DbError>),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        use halobestie_core::Coded;
        match refusal {
            Refusal::NotFound => ChatError::NotFound.into(),
            Refusal::NotActive => ChatError::SessionNotActive.into(),
            Refusal::Failed(cause) => Problem::new(cause.code()).because(cause),
        }
    }
}

/// The way to the lanes.
pub(crate) struct Scribe {
    lanes: Vec<mpsc::Sender<Order>>,
    waiting: IntGauge,
}

impl Scribe {
    /// Opens the lanes; `start` sets each going with what it is to write.
    pub(crate) fn new(
        lanes: usize,
        waiting: IntGauge,
        mut start: impl FnMut(mpsc::Receiver<Order>),
    ) -> Self {
        let lane = || {
            let (queue, orders) = mpsc::channel(WAITING_MAX);
            start(orders);
            queue
        };
        Self {
            lanes: std::iter::repeat_with(lane).take(lanes).collect(),
            waiting,
        }
    }

    /// Writes a message with whatever else is to be written now, and tells both sides. When this
    /// returns, it is committed.
    ///
    /// # Errors
    /// `not_found`, `session_not_active`; `overloaded` when too many wait already, or this one has
    /// waited for too long; Postgres's own.
    pub(crate) async fn write(&self, message: NewMessage) -> Result<Sent, Problem> {
        let (answer, answered) = oneshot::channel();
        let lane = self.lane_of(&message).ok_or(ChatError::Overloaded)?;
        lane.try_send(Order::new(message, answer))
            .map_err(|_| ChatError::Overloaded)?;
        let _waits = Waits::new(&self.waiting);
        match timeout(PATIENCE, answered).await {
            Ok(Ok(written)) => Ok(written?),
            // The lane's work was dropped, by a panic or a hard stop; whether it was done is unknown.
            Ok(Err(gone)) => Err(Problem::internal(gone)),
            Err(_) => Err(ChatError::Overloaded.into()),
        }
    }

    fn lane_of(&self, message: &NewMessage) -> Option<&mpsc::Sender<Order>> {
        // The last bytes of an id are chance.
        let (_, low) = message.session_id.as_u64_pair();
        let index = usize::try_from(low).unwrap_or(0) % self.lanes.len().max(1);
        self.lanes.get(index)
    }
}

/// Counts a message while its sender waits, however that ends.
struct Waits<'a>(&'a IntGauge);

impl<'a> Waits<'a> {
    fn new(waiting: &'a IntGauge) -> Self {
        waiting.inc();
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use halobestie_core::ports::Role;
    use uuid::Uuid;

    use super::*;
    use crate::messages::MessageKind;

    fn message(low: u64) -> NewMessage {
        NewMessage {
            id: Uuid::nil(),
            session_id: Uuid::from_u64_pair(7, low),
            sender_id: Uuid::nil(),
            sender_role: Role::Customer,
            client_message_id: "1".into(),
            kind: MessageKind::Text,
            body: "hai".into(),
            attachment: None,
        }
    }

    #[test]
    fn a_full_lane_says_so_at_once_and_the_others_go_on() {
        let gauge = IntGauge::new("waiting", "for a test").unwrap();
        let mut queues = Vec::new();
        let scribe = Scribe::new(LANES, gauge.clone(), |orders| queues.push(orders));
        let mut waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| Box::pin(scribe.write(message(0))))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        for writing in &mut waiting {
            assert!(writing.now_or_never().is_none());
        }
        let refused = scribe.write(message(0)).now_or_never().unwrap();
        assert_eq!(refused.unwrap_err().code().name, "overloaded");
        assert!(scribe.write(message(1)).now_or_never().is_none());
        drop(waiting);
        assert_eq!(gauge.get(), 0);
    }

    #[test]
    fn a_session_keeps_its_lane() {
        let gauge = IntGauge::new("waiting", "for a test").unwrap();
        let mut queues = Vec::new();
        let scribe = Scribe::new(LANES, gauge, |orders| queues.push(orders));
        for low in [3, 4, u64::MAX] {
            let lane = scribe.lane_of(&message(low)).unwrap();
            assert!(lane.same_channel(scribe.lane_of(&message(low)).unwrap()));
        }
    }
}
