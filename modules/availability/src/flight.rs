//! A single flight: many who want the same thing at once cause it once, and all get its outcome.

use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

/// Joins those who ask while the work is under way. The work goes on for as long as any of them is
/// still there; it needs no task of its own.
pub(crate) struct Flight<T: Clone> {
    current: Mutex<Option<Shared<BoxFuture<'static, T>>>>,
}

impl<T: Clone> Default for Flight<T> {
    fn default() -> Self {
        Self {
            current: Mutex::new(None),
        }
    }
}

impl<T: Clone> Flight<T> {
    /// The outcome of the work that is under way, or of `work` where none is.
    pub(crate) async fn join<F>(&self, work: impl FnOnce() -> F) -> T
    where
        F: Future<Output = T> + Send + 'static,
    {
        let flight = {
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            match &*current {
                // A flight that has landed says what was, not what is.
                Some(flight) if flight.peek().is_none() => flight.clone(),
                _ => current.insert(work().boxed().shared()).clone(),
            }
        };
        flight.await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_at_once_cause_one_flight() {
        let (flight, runs, land) = (
            Flight::default(),
            AtomicU32::new(0),
            Arc::new(Notify::new()),
        );
        let ask = || {
            flight.join(|| {
                let (run, land) = (runs.fetch_add(1, Ordering::Relaxed), land.clone());
                async move {
                    land.notified().await;
                    run
                }
            })
        };
        // `join!` polls in order: everyone has asked before the flight lands.
        let crowd = join_all((0..100).map(|_| ask()));
        let (outcomes, ()) = tokio::join!(crowd, async { land.notify_one() });
        assert_eq!(outcomes, vec![0; 100]);
        land.notify_one();
        assert_eq!(
            ask().await,
            1,
            "who comes after the landing gets a flight of their own"
        );
    }

    #[tokio::test]
    async fn a_flight_survives_whoever_started_it() {
        let flight = Arc::new(Flight::default());
        let land = Arc::new(Notify::new());
        let work = |outcome: u32| {
            let land = land.clone();
            move || async move {
                land.notified().await;
                outcome
            }
        };
        assert!(
            flight.join(work(1)).now_or_never().is_none(),
            "the first goes away"
        );
        land.notify_one();
        assert_eq!(flight.join(work(2)).await, 1);
    }
}
