//! Sweeps: periodic work on any number of replicas. A module writes the step; pace, jitter, timeout,
//! leader lock, cancellation, the record and the metrics are in the runner.

mod record;
mod runner;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::problem::BoxError;

pub use record::Standing;
pub use runner::{Runner, SweepError};

/// What a step has to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many things were changed.
    pub changed: u64,
    /// Whether there is more: the batch was full, so the next step follows at once.
    pub more: bool,
}

impl Swept {
    /// Changed this many, and nothing is left.
    pub const fn done(changed: u64) -> Self {
        Self {
            changed,
            more: false,
        }
    }
}

impl fmt::Display for Swept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "changed {}", self.changed)
    }
}

/// One unit of work; called again at once while it says `more`.
pub type Step = Arc<dyn Fn() -> BoxFuture<'static, Result<Swept, BoxError>> + Send + Sync>;

/// A sweep as a module declares it.
#[derive(Clone)]
pub struct Sweep {
    /// Its name, unique in the server.
    pub name: &'static str,
    /// From the end of a run to the start of the next, give or take a tenth.
    pub every: Duration,
    /// A run that takes longer is dropped at its next await and counted as failed.
    pub timeout: Duration,
    /// Whether one replica at a time runs it; otherwise each does, and the step must be safe so.
    pub alone: bool,
    /// What is done.
    pub step: Step,
}

impl Sweep {
    /// A sweep that runs on every worker, with a timeout of a minute.
    pub fn new<F, Fut>(name: &'static str, every: Duration, step: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Swept, BoxError>> + Send + 'static,
    {
        let step: Step = Arc::new(move || step().boxed());
        Self {
            name,
            every,
            timeout: Duration::from_secs(60),
            alone: false,
            step,
        }
    }

    /// Lets one replica at a time run it, by an advisory lock in Postgres.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }
}
