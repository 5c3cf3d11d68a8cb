//! Runs sweeps: when, how long, alone or not, and what is remembered of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus::{HistogramVec, IntCounterVec};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::record::{self, Standing};
use super::{Sweep, Swept};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::lifecycle::Lifecycle;
use crate::module::Context;
use crate::pg::{Db, DbError, Query};
use crate::problem::BoxError;
use crate::timestamp::Timestamp;

/// A step says `more` at most so often in one run; the rest waits for the next.
const STEPS_PER_RUN_MAX: u32 = 10_000;

/// Why a run did not end well.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// Nobody declared it.
    #[error("no sweep is called {0}")]
    Unknown(String),
    /// Longer than its timeout.
    #[error("the sweep took longer than {} s", .0.as_secs())]
    Timeout(Duration),
    /// The step itself.
    #[error("the sweep's step failed")]
    Step(#[source] BoxError),
    /// Another replica runs it at this moment.
    #[error("the sweep is running")]
    Running,
    /// The leader lock could not be asked for.
    #[error("cannot take the sweep's lock")]
    Lock(#[from] DbError),
}

/// Runs the sweeps of a process. Clones share everything.
#[derive(Clone)]
pub struct Runner {
    sweeps: Arc<Vec<Sweep>>,
    leading: Arc<Semaphore>,
    db: Db,
    clock: Clock,
    entropy: Entropy,
    lifecycle: Lifecycle,
    runs: IntCounterVec,
    seconds: HistogramVec,
}

impl Runner {
    /// A runner of these sweeps.
    pub fn new(sweeps: Vec<Sweep>, cx: &Context) -> Self {
        let metrics = &cx.metrics;
        Self {
            sweeps: Arc::new(sweeps),
            // A lock holds a connection while its step takes others: were all of them locks' (after a
            // machine has slept, every sweep is due at once), no step would ever get one.
            leading: Arc::new(Semaphore::new((cx.db.pool_size() / 2).max(1))),
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            lifecycle: cx.lifecycle.clone(),
            runs: metrics.counters(
                "halobestie_sweep_runs_total",
                "Runs of each sweep by outcome.",
                &["sweep", "outcome"],
            ),
            seconds: metrics.histograms(
                "halobestie_sweep_seconds",
                "Duration of each sweep's runs.",
                &["sweep"],
            ),
        }
    }

    /// Every sweep, in the order declared.
    pub fn sweeps(&self) -> &[Sweep] {
        &self.sweeps
    }

    /// Lets every sweep run at its own pace until the soft token turns.
    pub fn start(&self) {
        for sweep in self.sweeps.iter() {
            let (runner, sweep) = (self.clone(), sweep.clone());
            self.lifecycle
                .spawn(sweep.name, async move { runner.pace(&sweep).await });
        }
    }

    async fn pace(&self, sweep: &Sweep) {
        // Somewhere in the first interval, so that replicas started together do not run together.
        let mut wait = sweep.every.mul_f64(self.fraction());
        loop {
            let slept = self
                .lifecycle
                .soft()
                .run_until_cancelled(self.clock.sleep(wait))
                .await;
            if slept.is_none() {
                return;
            }
            if let Err(error) = self.run(sweep).await {
                warn!(
                    sweep = sweep.name,
                    error = &error as &dyn std::error::Error,
                    "sweep failed"
                );
            }
            wait = sweep.every.mul_f64(0.9 + 0.2 * self.fraction());
        }
    }

    fn fraction(&self) -> f64 {
        let thousandths = u32::try_from(self.entropy.below(1000)).unwrap_or(0);
        f64::from(thousandths) / 1000.0
    }

    /// Runs a sweep now, by name.
    ///
    /// # Errors
    /// See [`SweepError`].
    pub async fn run_named(&self, name: &str) -> Result<Swept, SweepError> {
        Ok(self.run(self.named(name)?).await?.unwrap_or_default())
    }

    /// The same for somebody who wants to know whether it ran: not where another replica is at it.
    ///
    /// # Errors
    /// See [`SweepError`].
    pub async fn run_alone(&self, name: &str) -> Result<Swept, SweepError> {
        self.run(self.named(name)?)
            .await?
            .ok_or(SweepError::Running)
    }

    /// A sweep by its name.
    ///
    /// # Errors
    /// [`SweepError::Unknown`]
    pub fn named(&self, name: &str) -> Result<&Sweep, SweepError> {
        let found = self.sweeps.iter().find(|sweep| sweep.name == name);
        found.ok_or_else(|| SweepError::Unknown(name.to_owned()))
    }

    /// `None` when another replica is at it.
    async fn run(&self, sweep: &Sweep) -> Result<Option<Swept>, SweepError> {
        let (at, started) = (self.clock.now(), Instant::now());
        let result = self.attempt(sweep).await;
        let took = started.elapsed();
        let (outcome, text) = match &result {
            Ok(None) => return Ok(None),
            Ok(Some(swept)) => ("ok", swept.to_string()),
            Err(error) => ("failed", error.to_string()),
        };
        debug!(sweep = sweep.name, outcome, "sweep ran");
        self.runs.with_label_values(&[sweep.name, outcome]).inc();
        self.seconds
            .with_label_values(&[sweep.name])
            .observe(took.as_secs_f64());
        self.remember(sweep, at, took, &text).await;
        result
    }

    /// `None` when another replica has the sweep's lock.
    async fn attempt(&self, sweep: &Sweep) -> Result<Option<Swept>, SweepError> {
        if !sweep.alone {
            return self.steps(sweep).await.map(Some);
        }
        let Ok(_turn) = self.leading.acquire().await else {
            return Ok(None);
        };
        // A transaction-level lock goes with the connection, whatever happens to this process.
        let mut client = self.db.client().await?;
        let tx = client.begin().await?;
        const LOCK: &str = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))";
        if !tx.row(LOCK, &[&sweep.name]).await?.get::<_, bool>(0) {
            return Ok(None);
        }
        let swept = self.steps(sweep).await?;
        tx.commit().await?;
        Ok(Some(swept))
    }

    async fn steps(&self, sweep: &Sweep) -> Result<Swept, SweepError> {
        let all = async {
            let mut total = Swept::default();
            for _ in 0..STEPS_PER_RUN_MAX {
                let swept = (sweep.step)().await.map_err(SweepError::Step)?;
                total.changed += swept.changed;
                total.more = swept.more;
                if !swept.more || self.lifecycle.soft().is_cancelled() {
                    break;
                }
            }
            Ok(total)
        };
        timeout(sweep.timeout, all)
            .await
            .unwrap_or(Err(SweepError::Timeout(sweep.timeout)))
    }

    /// Best effort: a record that cannot be written must not fail the sweep.
    async fn remember(&self, sweep: &Sweep, at: Timestamp, took: Duration, result: &str) {
        if let Err(error) = record::keep(&self.db, sweep, at, took, result).await {
            debug!(
                sweep = sweep.name,
                error = &error as &dyn std::error::Error,
                "not recorded"
            );
        }
    }

    /// Every sweep with its last run, on whatever replica, by name.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn standings(&self) -> Result<Vec<Standing>, DbError> {
        record::standings(&self.db, &self.sweeps).await
    }
}
