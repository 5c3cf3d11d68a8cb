//! Single flight: what many ask for at the same time is done once in this process.
//!
//! Whoever asks while it is being done waits for the same outcome. Those who wait drive the work, so no
//! task is spawned: it goes on while one of them is left, and is dropped with the last. Nothing is kept
//! after the end, so this is no cache. Other processes know nothing of it: what must not happen twice at
//! all is Postgres's to say.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

type Flight<V> = Shared<BoxFuture<'static, V>>;

/// The flights of one kind of work, by what they are for.
pub struct Flights<K, V>(Mutex<HashMap<K, WeakShared<BoxFuture<'static, V>>>>)
where
    V: Clone;

impl<K, V: Clone> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K, V> Flights<K, V>
where
    K: Eq + Hash,
    V: Clone + Send + Sync + 'static,
{
    /// The outcome of the work that is under way for `key`, or of this one where there is none.
    pub async fn join<F>(&self, key: K, work: impl FnOnce() -> F) -> V
    where
        F: Future<Output = V> + Send + 'static,
    {
        self.board(key, work).await
    }

    fn board<F>(&self, key: K, work: impl FnOnce() -> F) -> Flight<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut under_way = self.under_way();
        // One that has landed while somebody still holds it is over: who comes now wants to know anew.
        let flying = under_way.get(&key).and_then(WeakShared::upgrade);
        if let Some(flight) = flying.filter(|it| it.peek().is_none()) {
            return flight;
        }
        under_way.retain(|_, flight| flight.upgrade().is_some());
        let flight = work().boxed().shared();
        if let Some(weak) = flight.downgrade() {
            under_way.insert(key, weak);
        }
        flight
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<K, WeakShared<BoxFuture<'static, V>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[derive(Clone, Default)]
    struct Work {
        begun: Arc<AtomicU32>,
        may_end: Arc<Notify>,
    }

    impl Work {
        fn begin(&self) -> impl Future<Output = u32> + Send + use<> {
            let Self { begun, may_end } = self.clone();
            async move {
                let number = begun.fetch_add(1, Ordering::Relaxed) + 1;
                may_end.notified().await;
                number
            }
        }
    }

    #[tokio::test]
    async fn who_asks_at_the_same_time_gets_one_outcome_and_who_asks_later_another() {
        let (flights, work) = (Flights::default(), Work::default());
        let mut first = Box::pin(flights.join("a", || work.begin()));
        let mut second = Box::pin(flights.join("a", || work.begin()));
        assert!(futures_util::poll!(&mut first).is_pending());
        assert!(futures_util::poll!(&mut second).is_pending());
        // Whoever began it may go away: the other one brings it home.
        drop(first);
        work.may_end.notify_one();
        assert_eq!(second.await, 1);
        work.may_end.notify_one();
        assert_eq!(flights.join("a", || work.begin()).await, 2);
    }

    #[tokio::test]
    async fn other_keys_fly_by_themselves_and_nothing_is_kept() {
        let (flights, work) = (Flights::default(), Work::default());
        let mut first = Box::pin(flights.join(1, || work.begin()));
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut other = Box::pin(flights.join(2, || work.begin()));
        assert!(futures_util::poll!(&mut other).is_pending());
        assert_eq!(work.begun.load(Ordering::Relaxed), 2);
        drop((first, other));
        let mut third = Box::pin(flights.join(3, || work.begin()));
        assert!(futures_util::poll!(&mut third).is_pending());
        assert_eq!(flights.under_way().len(), 1);
    }
}
