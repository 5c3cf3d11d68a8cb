//! The way in: jobs are written in the caller's transaction, and told once it has committed.

use super::meters::Meters;
use super::store::{self, NewRow};
use super::{Job, NewJob};
use crate::after_commit::AfterCommit;
use crate::bus::Bus;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::pg::{DbError, Tx};
use crate::timestamp::Timestamp;

/// The bus topic on which a kind is told of that has new jobs.
pub(super) const TOPIC: &str = "jobs";
/// Rows written by one statement.
const ROWS_MAX: usize = 1000;
/// A payload is what has to be known, not what has to be moved.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024;

/// The way in to the queue. Clones share it.
#[derive(Clone)]
pub struct Jobs {
    bus: Bus,
    clock: Clock,
    entropy: Entropy,
    pub(super) meters: Meters,
}

impl Jobs {
    /// The queue's way in, and its figures.
    pub fn new(bus: &Bus, clock: &Clock, entropy: &Entropy, metrics: &Metrics) -> Self {
        Self {
            bus: bus.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            meters: Meters::new(metrics),
        }
    }

    /// Enqueues a job, unless another one holds its key. What comes back wakes a worker; dropped, the
    /// job is found within a second or two.
    ///
    /// # Errors
    /// Postgres's failures; [`DbError::Content`] for a payload that cannot be JSON or is over 64 KiB.
    pub async fn enqueue<J: Job>(
        &self,
        tx: &Tx<'_>,
        job: NewJob<J>,
    ) -> Result<AfterCommit<'static>, DbError> {
        self.enqueue_all(tx, [job]).await
    }

    /// Enqueues many jobs of a kind by a statement for each thousand.
    ///
    /// # Errors
    /// As [`Jobs::enqueue`].
    pub async fn enqueue_all<J: Job>(
        &self,
        tx: &Tx<'_>,
        jobs: impl IntoIterator<Item = NewJob<J>>,
    ) -> Result<AfterCommit<'static>, DbError> {
        let now = self.clock.now();
        let rows: Result<Vec<NewRow>, DbError> =
            jobs.into_iter().map(|job| self.row(job, now)).collect();
        let mut rows = rows?;
        // Two transactions that take the same keys must take them in the same order.
        rows.sort_by(|one, other| one.key.cmp(&other.key));
        let mut enqueued = 0;
        for rows in rows.chunks(ROWS_MAX) {
            enqueued += store::insert(tx, J::KIND, rows, now).await?;
        }
        let queue = self.clone();
        Ok(AfterCommit::new(async move {
            queue.tell(J::KIND, enqueued);
        }))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn row<J: Job>(&self, job: NewJob<J>, now: Timestamp) -> Result<NewRow, DbError> {
        let due_at = job.run_at.unwrap_or(now);
        let unwritable = |_| DbError::Content("a job's payload cannot be written as JSON");
        let payload = serde_json::to_string(&job.payload).map_err(unwritable)?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(DbError::Content("a job's payload is over 64 KiB"));
        }
        Ok(NewRow {
            id: self.entropy.uuid(&self.clock),
            key: job.key,
            payload,
            due_at,
            deadline_at: job.deadline.unwrap_or(due_at + J::POLICY.life),
        })
    }

    /// Counts what was enqueued, and wakes.
    pub(super) fn tell(&self, kind: &str, enqueued: u64) {
        if enqueued > 0 {
            let counter = self.meters.enqueued.with_label_values(&[kind]);
            counter.inc_by(enqueued);
            self.wake(kind);
        }
    }

    /// Tells the workers of every process to look for jobs of a kind.
    pub(super) fn wake(&self, kind: &str) {
        self.bus.publish(TOPIC, kind.as_bytes().to_vec());
    }
}
