//! Where tracks are worked on: beside the threads that answer requests, a few at a time.

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Tracks that are worked on at once, by this process.
const PLACES: usize = 2;

/// The work could not be done: it panicked, or the process ends.
#[derive(Debug, thiserror::Error)]
#[error("the work on a track did not end")]
pub(crate) struct Unfinished;

/// The bench.
pub(crate) struct Bench(Semaphore);

impl Default for Bench {
    fn default() -> Self {
        Self(Semaphore::new(PLACES))
    }
}

impl Bench {
    /// Does it, once there is a place.
    ///
    /// # Errors
    /// When it does not come to its end.
    pub(crate) async fn work<T, F>(&self, work: F) -> Result<T, Unfinished>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let _place = self.0.acquire().await.map_err(|_| Unfinished)?;
        spawn_blocking(work).await.map_err(|_| Unfinished)
    }
}
