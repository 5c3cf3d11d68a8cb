//! Turns: of those who accept one request at once, one tries at a time in this process. Once the request is
//! over all who still wait are told by one statement; a thousand of them would else ask Postgres a thousand
//! times, and the winner would wait behind them.
//!
//! It spares work and decides nothing: the one claim on a request is `store::requests::claim`. Whoever has
//! waited too long tries out of turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use uuid::Uuid;

use crate::store::offers::Over;

/// How long anybody waits: where Postgres does not answer, nobody is to wait for the deadlines of all before.
const PATIENCE: Duration = Duration::from_millis(500);

/// The requests that are being accepted.
#[derive(Default)]
pub(crate) struct Turns {
    queues: Mutex<HashMap<Uuid, Weak<Queue>>>,
}

/// Those who accept one request.
struct Queue {
    /// One at a time; closed once the request is over.
    turn: Semaphore,
    over: OnceLock<Over>,
}

/// A place among those who accept a request; dropped, it is left.
pub(crate) struct Place<'a> {
    turns: &'a Turns,
    request_id: Uuid,
    queue: Arc<Queue>,
}

/// What waiting has come to.
pub(crate) enum Turn<'a> {
    /// To try, until this is dropped; without a permit out of turn.
    Now(Option<SemaphorePermit<'a>>),
    /// Somebody before has ended it, or has found it ended.
    Over(&'a Over),
}

impl Turns {
    /// Gets in line.
    pub(crate) fn join(&self, request_id: Uuid) -> Place<'_> {
        let mut queues = self.queues();
        let queue = queues.get(&request_id).and_then(Weak::upgrade);
        let queue = queue.unwrap_or_else(|| {
            let queue = Arc::new(Queue {
                turn: Semaphore::new(1),
                over: OnceLock::new(),
            });
            queues.insert(request_id, Arc::downgrade(&queue));
            queue
        });
        Place {
            turns: self,
            request_id,
            queue,
        }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Uuid, Weak<Queue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Waits for its turn, or for the end of all turns, but not for ever.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        let permit = timeout(PATIENCE, self.queue.turn.acquire()).await;
        match self.queue.over.get() {
            Some(over) => Turn::Over(over),
            None => Turn::Now(permit.ok().and_then(Result::ok)),
        }
    }

    /// Whether others are in line.
    pub(crate) fn has_followers(&self) -> bool {
        Arc::strong_count(&self.queue) > 1
    }

    /// Ends the wait of all others, and of those who are still to come while anybody is in line.
    pub(crate) fn end(&self, over: Over) {
        // Whoever was first has said the same: nothing that is over changes.
        let _ = self.queue.over.set(over);
        self.queue.turn.close();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // Under the lock under which places are given away, so that the last one is the last one.
        let mut queues = self.turns.queues();
        if !self.has_followers() {
            queues.remove(&self.request_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::pairing::RequestStatus;

    const REQUEST: Uuid = Uuid::from_u128(7);

    fn over() -> Over {
        Over::new(RequestStatus::Cancelled, None, None, [])
    }

    #[tokio::test]
    async fn one_tries_at_a_time_and_the_next_when_that_one_has_failed() {
        let turns = Turns::default();
        let (first, second) = (turns.join(REQUEST), turns.join(REQUEST));
        let (other, turn) = (turns.join(Uuid::nil()), first.turn().now_or_never());
        assert!(matches!(turn, Some(Turn::Now(Some(_)))));
        assert!(first.has_followers() && !other.has_followers());
        assert!(matches!(other.turn().now_or_never(), Some(Turn::Now(_))));
        assert!(second.turn().now_or_never().is_none());
        drop(turn);
        assert!(matches!(
            second.turn().now_or_never(),
            Some(Turn::Now(Some(_)))
        ));
    }

    #[tokio::test]
    async fn who_has_waited_long_tries_out_of_turn() {
        let turns = Turns::default();
        let (first, second) = (turns.join(REQUEST), turns.join(REQUEST));
        let turn = first.turn().await;
        assert!(matches!(second.turn().await, Turn::Now(None)));
        drop(turn);
    }

    #[tokio::test]
    async fn the_end_is_told_to_all_who_wait_and_forgotten_with_the_last() {
        let turns = Turns::default();
        let (first, second) = (turns.join(REQUEST), turns.join(REQUEST));
        let turn = first.turn().now_or_never();
        let mut waiting = Box::pin(second.turn());
        assert!(waiting.as_mut().now_or_never().is_none());
        first.end(over());
        assert!(matches!(
            waiting.as_mut().now_or_never(),
            Some(Turn::Over(_))
        ));
        let late = turns.join(REQUEST);
        assert!(matches!(late.turn().now_or_never(), Some(Turn::Over(_))));
        drop((waiting, turn));
        drop((first, second, late));
        assert!(turns.queues().is_empty());
        let anew = turns.join(REQUEST);
        assert!(matches!(anew.turn().now_or_never(), Some(Turn::Now(_))));
    }
}
