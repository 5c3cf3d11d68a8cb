//! Where tracks are worked on: beside the threads that answer requests, a few at a time.
//!
//! Whoever has work to do takes a place first and only then loads what it works on, so that no more
//! tracks are in memory than there are places. The place goes along with the work: that goes on when
//! whoever asked for it is gone.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

/// Tracks that are worked on at once, by this process.
const PLACES: usize = 2;

/// The work could not be done: it panicked, or the process ends.
#[derive(Debug, thiserror::Error)]
#[error("the work on a track did not end")]
pub(crate) struct Unfinished;

/// The bench.
pub(crate) struct Bench(Arc<Semaphore>);

/// A place at it, until the work is done or this is dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Default for Bench {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

impl Bench {
    /// A place, once one is free.
    ///
    /// # Errors
    /// When there will be none any more.
    pub(crate) async fn place(&self) -> Result<Place, Unfinished> {
        let permit = self.0.clone().acquire_owned().await;
        let _permit = permit.map_err(|_| Unfinished)?;
        Ok(Place { _permit })
    }
}

impl Place {
    /// Does it.
    ///
    /// # Errors
    /// When it does not come to its end.
    pub(crate) async fn work<T, F>(self, work: F) -> Result<T, Unfinished>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let task = spawn_blocking(move || {
            let done = work();
            drop(self);
            done
        });
        task.await.map_err(|_| Unfinished)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_place_is_free_when_the_work_ends_and_not_when_whoever_asked_is_gone() {
        let bench = Bench::default();
        let (end, ended) = mpsc::channel::<()>();
        let work = bench.place().await.unwrap().work(move || ended.recv());
        assert!(timeout(Duration::from_millis(10), work).await.is_err());
        let _other = bench.place().await.unwrap();
        assert!(bench.place().now_or_never().is_none(), "both are taken");
        end.send(()).unwrap();
        bench.place().await.unwrap();
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let bench = Bench::default();
        for _ in 0..=PLACES {
            let place = bench.place().await.unwrap();
            assert!(place.work(|| panic!("on purpose")).await.is_err());
        }
    }
}
