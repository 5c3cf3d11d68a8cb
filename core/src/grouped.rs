//! Work that is cheaper together: what callers ask for at the same time is done as one group, with one
//! statement and one commit for many of them.
//!
//! What makes a row durable is the commit, and a commit waits for the disk. While one is under way the
//! next group gathers, so a server that is idle adds no delay and one that is busy does much with each
//! wait. A key always goes to the same lane, and a lane has one group in flight: so groups of one process
//! never wait for each other, and what has one key keeps its order.
//!
//! The invariants: whoever is answered has been done; the queues are bounded; what nobody waits for any
//! more is not begun.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use prometheus::IntGauge;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::error;
use uuid::Uuid;

use crate::lifecycle::Lifecycle;
use crate::problem::{Coded, ErrorCode, codes};

/// Groups in flight a process. Two keep Postgres busy while one waits for the disk; more only make the
/// groups smaller (measured: BENCHMARKS.md).
pub const LANES: usize = 2;
/// How many share a statement.
const GROUP_MAX: usize = 256;
/// How long one may wait to be done, with one deadline of Postgres before its own. Nobody waits for it
/// after that, so it is not begun any more.
const PATIENCE: Duration = Duration::from_secs(12);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// Too many wait already, or this one has waited for too long; whether it was done is unknown then.
    #[error("too many wait to be written")]
    Overloaded,
    /// The work was dropped, by a panic or a hard stop; whether it was done is unknown.
    #[error("the group was dropped")]
    Dropped(#[source] oneshot::error::RecvError),
}

impl Coded for Unanswered {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::Overloaded => &codes::OVERLOADED,
            Self::Dropped(_) => &codes::INTERNAL,
        }
    }
}

/// The groups of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// In logs.
    pub name: &'static str,
    /// Groups in flight.
    pub lanes: usize,
    /// How many may wait in a lane, which bounds their memory; past it, callers are told at once.
    pub waiting_max: usize,
}

/// One caller's part of a group.
struct Part<T, A> {
    item: T,
    answer: oneshot::Sender<A>,
}

/// The way into the groups.
pub struct Grouped<T, A> {
    lanes: Vec<mpsc::Sender<Part<T, A>>>,
    waiting: IntGauge,
}

impl<T, A> Grouped<T, A>
where
    T: Send + 'static,
    A: Send + 'static,
{
    /// Opens the lanes. `work` takes a group, never an empty one, and gives an answer for each, in the
    /// group's order. `waiting` shows how many callers there are. The lanes carry the last words of
    /// requests that finish while the server drains.
    pub fn start<W, F>(lifecycle: &Lifecycle, shape: Shape, waiting: IntGauge, work: W) -> Self
    where
        W: Fn(Vec<T>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Vec<A>> + Send + 'static,
    {
        Self::new(shape, waiting, |parts| {
            let lane = run(shape.name, parts, lifecycle.last().clone(), work.clone());
            lifecycle.spawn_carrier(shape.name, lane);
        })
    }

    fn new(
        shape: Shape,
        waiting: IntGauge,
        mut start: impl FnMut(mpsc::Receiver<Part<T, A>>),
    ) -> Self {
        let lane = || {
            let (queue, parts) = mpsc::channel(shape.waiting_max);
            start(parts);
            queue
        };
        Self {
            lanes: std::iter::repeat_with(lane).take(shape.lanes).collect(),
            waiting,
        }
    }

    /// Has it done with whatever else is to be done now.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub async fn ask(&self, key: Uuid, item: T) -> Result<A, Unanswered> {
        let (answer, answered) = oneshot::channel();
        let lane = self.lane_of(key).ok_or(Unanswered::Overloaded)?;
        lane.try_send(Part { item, answer })
            .map_err(|_| Unanswered::Overloaded)?;
        let _waits = Waits::new(&self.waiting);
        match timeout(PATIENCE, answered).await {
            Ok(answered) => answered.map_err(Unanswered::Dropped),
            Err(_) => Err(Unanswered::Overloaded),
        }
    }

    fn lane_of(&self, key: Uuid) -> Option<&mpsc::Sender<Part<T, A>>> {
        // The last bytes of an id are chance.
        let (_, low) = key.as_u64_pair();
        let index = usize::try_from(low).unwrap_or(0) % self.lanes.len().max(1);
        self.lanes.get(index)
    }
}

/// Counts a caller while it waits, however that ends.
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

/// One lane, until `last` turns.
async fn run<T, A, W, F>(
    name: &'static str,
    mut parts: mpsc::Receiver<Part<T, A>>,
    last: CancellationToken,
    work: W,
) where
    W: Fn(Vec<T>) -> F,
    F: Future<Output = Vec<A>>,
{
    loop {
        let first = tokio::select! {
            first = parts.recv() => first,
            () = last.cancelled() => None,
        };
        let Some(first) = first else { return };
        let mut group = gather(first, &mut parts).await;
        group.retain(|part| !part.answer.is_closed());
        if group.is_empty() {
            continue;
        }
        let parts = group.into_iter().map(|part| (part.item, part.answer));
        let (items, answers): (Vec<T>, Vec<_>) = parts.unzip();
        // A bug that one group runs into must not end the lane for all that come after it.
        let done = AssertUnwindSafe(async { work(items).await }).catch_unwind();
        let Ok(done) = done.await else {
            error!(name, "the work on a group panicked");
            continue;
        };
        for (answer, done) in answers.into_iter().zip(done) {
            // Whoever has gone away will ask again.
            let _ = answer.send(done);
        }
    }
}

/// Takes what waits already, and lets whatever can run have a turn for as long as that brings more:
/// callers who were answered together ask together again, and the first of them alone would cost a
/// commit that the others then wait for. It takes no time where nobody has anything to do.
async fn gather<P>(first: P, waiting: &mut mpsc::Receiver<P>) -> Vec<P> {
    let mut group = vec![first];
    let mut before = 0;
    loop {
        while group.len() < GROUP_MAX
            && let Ok(part) = waiting.try_recv()
        {
            group.push(part);
        }
        if group.len() >= GROUP_MAX || group.len() == before {
            return group;
        }
        before = group.len();
        yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge() -> IntGauge {
        IntGauge::new("waiting", "for a test").unwrap()
    }

    const SHAPE: Shape = Shape {
        name: "test",
        lanes: 1,
        waiting_max: 300,
    };

    const TWO: Shape = Shape { lanes: 2, ..SHAPE };

    fn key(low: u64) -> Uuid {
        Uuid::from_u64_pair(7, low)
    }

    #[tokio::test]
    async fn a_full_lane_says_so_at_once_and_the_others_go_on() {
        let (waiting, mut queues) = (gauge(), Vec::new());
        let grouped = Grouped::<(), ()>::new(TWO, waiting.clone(), |parts| queues.push(parts));
        let mut asking: Vec<_> = (0..SHAPE.waiting_max)
            .map(|_| Box::pin(grouped.ask(key(0), ())))
            .collect();
        for asks in &mut asking {
            assert!(asks.now_or_never().is_none());
        }
        let refused = grouped.ask(key(0), ()).now_or_never().unwrap();
        assert_eq!(refused.unwrap_err().code().name, "overloaded");
        assert!(grouped.ask(key(1), ()).now_or_never().is_none());
        drop(asking);
        assert_eq!(waiting.get(), 0);
    }

    #[test]
    fn a_key_keeps_its_lane() {
        let mut queues = Vec::new();
        let grouped = Grouped::<(), ()>::new(TWO, gauge(), |parts| queues.push(parts));
        for low in [3, 4, u64::MAX] {
            let lane = grouped.lane_of(key(low)).unwrap();
            assert!(lane.same_channel(grouped.lane_of(key(low)).unwrap()));
        }
    }

    #[tokio::test]
    async fn who_asks_together_is_done_together_and_each_gets_the_own_answer() {
        let lifecycle = Lifecycle::default();
        let work = async |group: Vec<u64>| {
            let size = group.len();
            group.into_iter().map(|it| (it, size)).collect::<Vec<_>>()
        };
        let grouped = Grouped::start(&lifecycle, SHAPE, gauge(), work);
        let all = (0..300).map(|number| grouped.ask(key(number), number));
        let answers = futures_util::future::join_all(all).await;
        for (number, answer) in (0..).zip(answers) {
            let (asked, size) = answer.unwrap();
            assert_eq!(asked, number);
            assert!(size == GROUP_MAX || size == 300 - GROUP_MAX, "{size}");
        }
    }

    #[tokio::test]
    async fn a_panic_ends_its_group_and_not_the_lane() {
        let lifecycle = Lifecycle::default();
        let work = async |group: Vec<bool>| {
            assert!(group.iter().all(|fine| *fine), "a bug");
            group
        };
        let grouped = Grouped::start(&lifecycle, SHAPE, gauge(), work);
        let dropped = grouped.ask(key(1), false).await.unwrap_err();
        assert!(matches!(dropped, Unanswered::Dropped(_)));
        assert!(grouped.ask(key(1), true).await.unwrap());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_begun() {
        let lifecycle = Lifecycle::default();
        let work = async |group: Vec<&'static str>| {
            let size = group.len();
            vec![size; size]
        };
        let grouped = Grouped::start(&lifecycle, SHAPE, gauge(), work);
        assert!(grouped.ask(key(1), "gone").now_or_never().is_none());
        assert_eq!(grouped.ask(key(1), "here").await.unwrap(), 1);
    }
}
