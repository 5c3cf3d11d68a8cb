//! Settling: what became of the attempts that have ended, judged and written, a statement for all.

use std::time::Duration;

use tracing::{debug, error};

use super::JobKind;
use super::attempt::Ended;
use super::failure::Failure;
use super::slots::Slots;
use super::store::{self, Settled};
use super::verdict::{Outcome, State, Verdict};
use crate::module::Context;
use crate::pg::DbError;
use crate::timestamp::Timestamp;

/// From one try to the next, while Postgres is away.
const PAUSE: Duration = Duration::from_millis(500);

/// Settles the jobs of a kind.
pub(super) struct Settling<'a> {
    pub(super) kind: &'a JobKind,
    pub(super) cx: &'a Context,
}

impl Settling<'_> {
    /// Writes what became of the attempts that have ended, and frees their slots; when the first of
    /// them is due again, if any is. While Postgres is away it tries for as long as the leases last.
    pub(super) async fn settle(&self, slots: &mut Slots) -> Option<Timestamp> {
        let ended = slots.take_ended();
        if ended.is_empty() {
            return None;
        }
        let all: Vec<Settled> = ended
            .into_iter()
            .filter_map(|ended| self.judge(ended, slots))
            .collect();
        self.write_all(&all, slots).await;
        all.iter().for_each(|it| slots.release(it.id));
        let again = all.iter().filter_map(|it| match it.verdict.state {
            State::Waiting(at) => Some(at),
            State::Done(_) | State::Late(_) | State::Dead(_) => None,
        });
        again.min()
    }

    fn judge(&self, ended: Ended, slots: &Slots) -> Option<Settled> {
        let Ended { id, outcome, took } = ended;
        let (kind, policy, now) = (self.kind.name, &self.kind.policy, self.cx.clock.now());
        let waiting = match &outcome {
            Outcome::GivenBack => "given_back",
            Outcome::Failed(Failure::NotYet { .. }) => "not_yet",
            _ => "retry",
        };
        let chance = match &outcome {
            Outcome::Done => 0.0,
            _ => self.chance(),
        };
        let (taken, verdict) = slots.judge(id, outcome, policy, now, chance)?;
        let label = match verdict.state {
            State::Waiting(_) => waiting,
            state => state.name(),
        };
        let meters = &self.cx.jobs.meters;
        meters.ended.with_label_values(&[kind, label]).inc();
        let attempt_seconds = meters.attempt_seconds.with_label_values(&[kind]);
        attempt_seconds.observe(took.as_secs_f64());
        let settled = Settled { id, taken, verdict };
        self.log(&settled, label);
        Some(settled)
    }

    fn chance(&self) -> f64 {
        let thousandths = u32::try_from(self.cx.entropy.below(1001)).unwrap_or(0);
        f64::from(thousandths) / 1000.0
    }

    /// A failure is news when nobody will try again.
    fn log(&self, settled: &Settled, outcome: &'static str) {
        let Settled { id, verdict, .. } = settled;
        let Verdict {
            state,
            attempts,
            error,
        } = verdict;
        let (kind, why) = (self.kind.name, error.as_deref().unwrap_or_default());
        if matches!(state, State::Dead(_)) {
            error!(job.kind = kind, job.id = %id, job.attempts = attempts, why, "a job is dead");
        } else {
            debug!(job.kind = kind, job.id = %id, job.attempts = attempts, why, outcome, "attempted");
        }
    }

    async fn write_all(&self, all: &[Settled], slots: &Slots) {
        while let Err(error) = self.write(all).await {
            debug!(
                job.kind = self.kind.name,
                error = &error as &dyn std::error::Error,
                "cannot write what became of jobs"
            );
            let now = self.cx.clock.now();
            if !all.iter().any(|it| slots.has(it.id, now)) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if all
            .iter()
            .any(|it| matches!(it.verdict.state, State::Waiting(at) if at <= self.cx.clock.now()))
        {
            // Given back: somebody else may have it at once.
            self.cx.jobs.wake(self.kind.name);
        }
    }

    async fn write(&self, all: &[Settled]) -> Result<(), DbError> {
        let (db, policy, now) = (&self.cx.db, &self.kind.policy, self.cx.clock.now());
        let goes = |it: &&Settled| matches!(it.verdict.state, State::Done(until) if until <= now);
        let (gone, kept): (Vec<&Settled>, Vec<&Settled>) = all.iter().partition(goes);
        if !gone.is_empty() {
            store::remove(db, &gone).await?;
        }
        if !kept.is_empty() {
            store::settle(db, policy, &kept, now).await?;
        }
        Ok(())
    }
}
