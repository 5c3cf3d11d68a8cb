//! One attempt at a job: the handler, within its time, whatever it does.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::failure::Failure;
use super::verdict::Outcome;

/// How an attempt ended.
pub(super) struct Ended {
    pub(super) id: Uuid,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
}

/// Runs the handler until it ends, its time is over, or it is called back.
pub(super) async fn attempt(
    id: Uuid,
    run: BoxFuture<'static, Result<(), Failure>>,
    cut_off: Instant,
    call_back: CancellationToken,
) -> Ended {
    let begun = Instant::now();
    let run = timeout_at(cut_off, AssertUnwindSafe(run).catch_unwind());
    let outcome = match call_back.run_until_cancelled(run).await {
        None => Outcome::GivenBack,
        Some(Err(_)) => Outcome::TimedOut,
        Some(Ok(Err(_))) => Outcome::Panicked,
        Some(Ok(Ok(Ok(())))) => Outcome::Done,
        Some(Ok(Ok(Err(failure)))) => Outcome::Failed(failure),
    };
    let took = begun.elapsed();
    Ended { id, outcome, took }
}
