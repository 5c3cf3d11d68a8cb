//! Waiting for what happens in its own time: a poll with a deadline, never a bare sleep.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long a test waits for anything before it fails.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks.
const PACE: Duration = Duration::from_millis(10);

/// Looks until the answer is true; panics, naming `what`, when [`PATIENCE`] is over.
#[track_caller]
pub fn eventually<F, Fut>(what: &str, mut look: F) -> impl Future<Output = ()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let look = move || {
        let look = look();
        async move { look.await.then_some(()) }
    };
    poll(PATIENCE, what, Location::caller(), look)
}

/// Looks until there is a value; panics, naming `what`, when [`PATIENCE`] is over.
#[track_caller]
pub fn eventually_some<T, F, Fut>(what: &str, look: F) -> impl Future<Output = T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    poll(PATIENCE, what, Location::caller(), look)
}

async fn poll<T, F, Fut>(patience: Duration, what: &str, caller: &Location<'_>, mut look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = look().await {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "not within {patience:?}: {what} ({caller})"
        );
        sleep(PACE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_looks_until_there_is_something() {
        let mut looks = 0;
        let look = || {
            looks += 1;
            std::future::ready((looks == 3).then_some(looks))
        };
        assert_eq!(eventually_some("three looks", look).await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "not within 50ms: the moon falls down")]
    async fn patience_ends() {
        let look = || std::future::ready(None::<()>);
        poll(
            Duration::from_millis(50),
            "the moon falls down",
            Location::caller(),
            look,
        )
        .await;
    }
}
