//! Jobs: durable work in Postgres, for every module. Enqueued in the transaction of the thing itself,
//! done soon after its commit by whichever worker is free.
//!
//! # How to declare one
//!
//! ```
//! # use std::time::Duration;
//! # use halobestie_core::jobs::{Attempt, Failure, Handler, Job, JobKind, NewJob, Policy};
//! # use halobestie_core::{Context, Timestamp, pg::{DbError, Tx}};
//! /// A receipt that is owed to a customer. Payloads are small: ids, not contents.
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct SendReceipt { payment_id: uuid::Uuid }
//!
//! impl Job for SendReceipt {
//!     const KIND: &'static str = "send-receipt";
//!     const POLICY: Policy = Policy { timeout: Duration::from_secs(10), ..Policy::DEFAULT };
//! }
//!
//! // The module declares it beside its sweeps, and its build brings the handler:
//! const JOBS: &[JobKind] = &[JobKind::of::<SendReceipt>()];
//! fn handlers() -> Vec<Handler> {
//!     vec![Handler::new(move |attempt: Attempt<SendReceipt>| send(attempt))]
//! }
//!
//! async fn send(attempt: Attempt<SendReceipt>) -> Result<(), Failure> {
//!     // `?` on any error is another attempt; see `Failure` for the rest. `attempt.id` is the same in
//!     // every attempt: what an upstream wants as an idempotency key.
//!     # let _ = (attempt.id, attempt.payload.payment_id);
//!     Ok(())
//! }
//!
//! // Wherever it becomes due, in the transaction that makes it so; `run` wakes a worker at once:
//! # async fn pay(cx: &Context, tx: Tx<'_>, payment_id: uuid::Uuid) -> Result<(), DbError> {
//! let job = NewJob::of(SendReceipt { payment_id }).key(payment_id);
//! let enqueued = cx.jobs.enqueue(&tx, job).await?;
//! tx.commit().await?;
//! enqueued.run().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What is guaranteed
//!
//! - A job exists exactly if its transaction committed.
//! - It is done **at least once**: while workers run, until it is done, dead, or late by its deadline.
//!   No attempt begins after the deadline, and one that runs is dropped at it.
//! - In normal running it is done **once**: one worker has it at a time, under a lease that outlasts
//!   the attempt's timeout. A worker that dies gives its jobs back when their leases end; one that stops
//!   finishes or gives back at once. A worker that lost a lease cannot write the job's end any more.
//! - What a handler changes in Postgres happens **exactly once** if its transaction also takes
//!   [`Attempt::done_in`].
//! - With `attempts_max: 1` a job is begun **at most once**: a crash in it makes a dead letter.
//! - Jobs of a kind begin in the order of their times, side by side; no order among them is kept.
//!
//! A kind that this process does not know is left alone: an older or newer replica, or a module that
//! is switched off, has or had it. There are no batch handlers: taking and settling go in batches
//! anyway, and what a handler shares between jobs (a connection, a token) it shares by its state.

mod attempt;
mod cleanup;
mod dead;
mod failure;
mod figures;
mod handler;
mod meters;
mod new_job;
mod policy;
mod pump;
mod queue;
mod scout;
mod settling;
mod slots;
mod store;
mod verdict;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::module::{Context, RunsOn, Service};
use crate::sweep::Sweep;

pub use dead::DeadJob;
pub use failure::Failure;
pub use figures::KindFigures;
pub use handler::{Attempt, Handler};
pub use new_job::NewJob;
pub use policy::{Backoff, Late, Policy, Unique};
pub use queue::Jobs;

/// A kind of durable work. The type is what has to be known to do it: it is kept as JSON, and what
/// one version of the binary writes another one reads.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name, unique in the server: `verb-noun`.
    const KIND: &'static str;
    /// How it is done.
    const POLICY: Policy;
}

/// A kind of job with its type erased, as a module declares it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JobKind {
    /// [`Job::KIND`]
    pub name: &'static str,
    /// [`Job::POLICY`]
    pub policy: Policy,
}

impl JobKind {
    /// Erases a kind's type.
    ///
    /// # Panics
    /// At compile time, where it is declared in a constant: for a policy that no worker can follow.
    pub const fn of<J: Job>() -> Self {
        J::POLICY.check();
        Self {
            name: J::KIND,
            policy: J::POLICY,
        }
    }
}

/// What workers run for these kinds of jobs: a pump each, and a scout for all.
pub(crate) fn services(handlers: Vec<Handler>, cx: &Context) -> Vec<Service> {
    if handlers.is_empty() {
        return Vec::new();
    }
    let mut scout = scout::Scout::new(cx);
    let mut services = Vec::with_capacity(handlers.len() + 1);
    for handler in handlers {
        let kind = handler.kind.name;
        let pump = pump::Pump::new(handler, scout.news_of(kind), cx);
        services.push(Service::new(kind, RunsOn::Worker, pump.run()));
    }
    services.push(Service::new("jobs-scout", RunsOn::Worker, scout.run()));
    services
}

/// What sweeps do for jobs: rows that have been kept long enough, and figures.
pub(crate) fn sweeps(handlers: &[Handler], cx: &Context) -> Vec<Sweep> {
    let kinds: Vec<&str> = handlers.iter().map(|it| it.kind.name).collect();
    let mut sweeps = vec![cleanup::sweep(cx)];
    if !kinds.is_empty() {
        sweeps.push(figures::sweep(kinds, cx));
    }
    sweeps
}
