//! Work that is cheaper together: what callers ask for at the same time is done as one group, with one
//! statement and one commit for many of them.
//!
//! What makes a row durable is the commit, and a commit waits for the disk. So a server that is busy keeps
//! two groups in flight and lets the next one gather meanwhile; one that is not begins at once with
//! whatever is there. What has the same key as something in flight waits for that: groups of one process
//! never wait for each other's locks, and what has one key keeps its order.
//!
//! The invariants: whoever is answered has been done; the queue is bounded; what nobody waits for any
//! more is not begun.

use std::collections::HashSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use prometheus::IntGauge;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::error;
use uuid::Uuid;

use crate::lifecycle::Lifecycle;
use crate::problem::{Coded, ErrorCode, codes};

/// Groups in flight of a process that is busy. Two keep Postgres at work while one waits for the disk; more
/// only make the groups smaller (measured: BENCHMARKS.md).
pub const GROUPS: usize = 2;
/// Parts in flight up to which a process is not busy, and begins with whatever comes.
const PARTS_AT_EASE: usize = 8;
/// How many are gathered for one group.
const GROUP_MAX: usize = 256;
/// How long one may wait to be done, with one deadline of Postgres before its own. Nobody waits for it
/// after that, so it is not begun any more.
const PATIENCE: Duration = Duration::from_secs(12);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// Too many wait already, or this one has waited for too long; whether it was done is unknown then.
    #[error("too many wait to be done")]
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
    /// Groups in flight while many wait.
    pub groups: usize,
    /// How many may wait, which bounds their memory; past it, callers are told at once.
    pub waiting_max: usize,
}

/// One caller's part of a group.
struct Part<T, A> {
    key: Uuid,
    item: T,
    answer: oneshot::Sender<A>,
}

/// The way into the groups.
pub struct Grouped<T, A> {
    queue: mpsc::Sender<Part<T, A>>,
    waiting: IntGauge,
}

impl<T, A> Grouped<T, A>
where
    T: Send + 'static,
    A: Send + 'static,
{
    /// Opens the way. `work` takes a group, never an empty one, and gives an answer for each, in the
    /// group's order. `waiting` shows how many callers there are. It carries the last words of requests
    /// that finish while the server drains.
    pub fn start<W, F>(lifecycle: &Lifecycle, shape: Shape, waiting: IntGauge, work: W) -> Self
    where
        W: Fn(Vec<T>) -> F + Send + 'static,
        F: Future<Output = Vec<A>> + Send + 'static,
    {
        let (queue, parts) = mpsc::channel(shape.waiting_max);
        let flights = Flights::new(shape, work);
        lifecycle.spawn_carrier(shape.name, flights.run(parts, lifecycle.last().clone()));
        Self { queue, waiting }
    }

    /// Has it done with whatever else is to be done now.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub async fn ask(&self, key: Uuid, item: T) -> Result<A, Unanswered> {
        let (answer, answered) = oneshot::channel();
        let part = Part { key, item, answer };
        self.queue
            .try_send(part)
            .map_err(|_| Unanswered::Overloaded)?;
        let _waits = Waits::new(&self.waiting);
        match timeout(PATIENCE, answered).await {
            Ok(answered) => answered.map_err(Unanswered::Dropped),
            Err(_) => Err(Unanswered::Overloaded),
        }
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

/// The groups in flight, and who is kept on the ground by them.
struct Flights<T, A, W> {
    shape: Shape,
    work: W,
    /// Each ends with the keys that were in it.
    in_flight: FuturesUnordered<BoxFuture<'static, Vec<Uuid>>>,
    busy: HashSet<Uuid>,
    parts: usize,
    /// Parts whose key is in flight, in the order in which they came.
    held: Vec<Part<T, A>>,
}

impl<T, A, W, F> Flights<T, A, W>
where
    T: Send + 'static,
    A: Send + 'static,
    W: Fn(Vec<T>) -> F + Send,
    F: Future<Output = Vec<A>> + Send + 'static,
{
    fn new(shape: Shape, work: W) -> Self {
        Self {
            shape,
            work,
            in_flight: FuturesUnordered::new(),
            busy: HashSet::new(),
            parts: 0,
            held: Vec::new(),
        }
    }

    /// Works until `last` turns.
    async fn run(mut self, mut queue: mpsc::Receiver<Part<T, A>>, last: CancellationToken) {
        loop {
            tokio::select! {
                Some(keys) = self.in_flight.next() => {
                    self.land(&keys);
                    self.begin(Vec::new());
                }
                Some(first) = queue.recv(), if self.has_room() => {
                    let group = gather(first, &mut queue).await;
                    self.begin(group);
                }
                () = last.cancelled() => break,
            }
        }
        while self.in_flight.next().await.is_some() {}
    }

    fn has_room(&self) -> bool {
        let is_at_ease = self.parts < PARTS_AT_EASE;
        let has_room = is_at_ease || self.in_flight.len() < self.shape.groups;
        has_room && self.held.len() < GROUP_MAX
    }

    fn land(&mut self, keys: &[Uuid]) {
        self.parts -= keys.len();
        for key in keys {
            self.busy.remove(key);
        }
    }

    /// Begins with whoever was held and may go now, and with these; whose key is in flight is held.
    fn begin(&mut self, came: Vec<Part<T, A>>) {
        let all = std::mem::take(&mut self.held).into_iter().chain(came);
        let awaited = all.filter(|part| !part.answer.is_closed());
        let (held, group): (Vec<_>, Vec<_>) = awaited.partition(|it| self.busy.contains(&it.key));
        self.held = held;
        if group.is_empty() {
            return;
        }
        let keys: Vec<Uuid> = group.iter().map(|part| part.key).collect();
        self.parts += keys.len();
        self.busy.extend(&keys);
        let parts = group.into_iter().map(|part| (part.item, part.answer));
        let (items, answers): (Vec<T>, Vec<_>) = parts.unzip();
        // A bug that one group runs into must not end all that come after it.
        let name = self.shape.name;
        let done = std::panic::catch_unwind(AssertUnwindSafe(|| (self.work)(items)));
        self.in_flight.push(
            async move {
                let done = match done {
                    Ok(work) => AssertUnwindSafe(work).catch_unwind().await,
                    Err(panic) => Err(panic),
                };
                match done {
                    Ok(done) => answer(answers, done),
                    Err(_) => error!(name, "the work on a group panicked"),
                }
                keys
            }
            .boxed(),
        );
    }
}

/// The answers of a group whose work was one: what it gave for each, or the same cause for all `count`.
pub fn answers<A, E>(done: Result<Vec<A>, E>, count: usize) -> Vec<Result<A, Arc<E>>> {
    match done {
        Ok(done) => done.into_iter().map(Ok).collect(),
        Err(error) => {
            let error = Arc::new(error);
            (0..count).map(|_| Err(error.clone())).collect()
        }
    }
}

fn answer<A>(answers: Vec<oneshot::Sender<A>>, done: Vec<A>) {
    for (answer, done) in answers.into_iter().zip(done) {
        // Whoever has gone away will ask again.
        let _ = answer.send(done);
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
    use std::sync::Mutex;

    use tokio::sync::Notify;

    use super::*;

    fn gauge() -> IntGauge {
        IntGauge::new("waiting", "for a test").unwrap()
    }

    const SHAPE: Shape = Shape {
        name: "test",
        groups: 1,
        waiting_max: 300,
    };

    fn key(low: u64) -> Uuid {
        Uuid::from_u64_pair(7, low)
    }

    #[tokio::test]
    async fn a_full_queue_says_so_at_once() {
        let (queue, _parts) = mpsc::channel(SHAPE.waiting_max);
        let waiting = gauge();
        let grouped = Grouped::<(), ()> {
            queue,
            waiting: waiting.clone(),
        };
        let mut asking: Vec<_> = (0..SHAPE.waiting_max)
            .map(|_| Box::pin(grouped.ask(key(0), ())))
            .collect();
        for asks in &mut asking {
            assert!(asks.now_or_never().is_none());
        }
        let refused = grouped.ask(key(0), ()).now_or_never().unwrap();
        assert_eq!(refused.unwrap_err().code().name, "overloaded");
        drop(asking);
        assert_eq!(waiting.get(), 0);
    }

    #[tokio::test]
    async fn what_has_a_key_in_flight_waits_for_it_and_nothing_else_does() {
        let lifecycle = Lifecycle::default();
        let (gate, log) = (Arc::new(Notify::new()), Arc::new(Mutex::new(Vec::new())));
        let work = {
            let (gate, log) = (gate.clone(), log.clone());
            move |group: Vec<&'static str>| {
                let (gate, log) = (gate.clone(), log.clone());
                async move {
                    log.lock().unwrap().push(group.clone());
                    if group.contains(&"slow") {
                        gate.notified().await;
                    }
                    group
                }
            }
        };
        let grouped = Grouped::start(&lifecycle, SHAPE, gauge(), work);
        let mut slow = Box::pin(grouped.ask(key(1), "slow"));
        assert!((&mut slow).now_or_never().is_none());
        yield_now().await;
        let mut next = Box::pin(grouped.ask(key(1), "next"));
        assert!((&mut next).now_or_never().is_none());
        assert_eq!(grouped.ask(key(2), "other").await.unwrap(), "other");
        assert!((&mut next).now_or_never().is_none());
        gate.notify_one();
        assert_eq!(slow.await.unwrap(), "slow");
        assert_eq!(next.await.unwrap(), "next");
        let groups = log.lock().unwrap().clone();
        assert_eq!(groups, [["slow"], ["other"], ["next"]]);
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
    async fn a_panic_ends_its_group_and_nothing_else() {
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
