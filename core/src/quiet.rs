//! Waiting beside something busy.

use std::future::{Future, pending};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

/// A future that is polled when it was woken itself, not whenever its neighbours are.
///
/// A `select!` polls every branch on every wake. Beside a connection that wakes thousands of times a
/// second, a branch that waits for a token would take that token's lock each time, from every thread.
pub(crate) async fn quiet<F: Future>(future: F) -> F::Output {
    let mut only = FuturesUnordered::from_iter([future]);
    match only.next().await {
        Some(output) => output,
        // It held one future, so its first output is there before its end.
        None => pending().await,
    }
}
