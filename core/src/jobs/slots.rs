//! The slots of a pump: which jobs it has, and which of their attempts have ended.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc;
use uuid::Uuid;

use super::attempt::Ended;
use super::policy::Policy;
use super::store::Taken;
use super::verdict::{Case, Outcome, Verdict};
use crate::timestamp::Timestamp;

/// A job that this process has.
pub(super) struct Held {
    attempts: u32,
    pub(super) taken: i32,
    deadline: Timestamp,
    pub(super) lease_until: Timestamp,
}

/// The slots of a pump.
pub(super) struct Slots {
    count: usize,
    held: HashMap<Uuid, Held>,
    ended: Vec<Ended>,
    ends: (mpsc::Sender<Ended>, mpsc::Receiver<Ended>),
}

impl Slots {
    pub(super) fn new(count: usize) -> Self {
        Self {
            count,
            held: HashMap::with_capacity(count),
            ended: Vec::with_capacity(count),
            // Room for an end of every slot: nobody waits to tell.
            ends: mpsc::channel(count),
        }
    }

    pub(super) fn free(&self) -> usize {
        self.count.saturating_sub(self.held.len())
    }

    pub(super) fn are_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Gives a job a slot; false when it has one already.
    pub(super) fn hold(&mut self, job: &Taken, lease_until: Timestamp) -> bool {
        let held = Held {
            attempts: job.attempts,
            taken: job.taken,
            deadline: job.deadline_at,
            lease_until,
        };
        self.held.insert(job.id, held).is_none()
    }

    /// Where attempts tell their end.
    pub(super) fn teller(&self) -> mpsc::Sender<Ended> {
        self.ends.0.clone()
    }

    /// A job of which no attempt is made.
    pub(super) fn end_at_once(&mut self, id: Uuid, outcome: Outcome) {
        let took = Duration::ZERO;
        self.ended.push(Ended { id, outcome, took });
    }

    /// Waits until an attempt has ended, unless one has. Cancel-safe.
    pub(super) async fn wait(&mut self) {
        if self.ended.is_empty()
            && let Some(ended) = self.ends.1.recv().await
        {
            self.ended.push(ended);
        }
    }

    /// What has ended since the last call.
    pub(super) fn take_ended(&mut self) -> Vec<Ended> {
        while let Ok(ended) = self.ends.1.try_recv() {
            self.ended.push(ended);
        }
        std::mem::take(&mut self.ended)
    }

    /// What becomes of a job whose attempt has ended.
    pub(super) fn judge(
        &self,
        id: Uuid,
        outcome: Outcome,
        policy: &Policy,
        now: Timestamp,
        chance: f64,
    ) -> Option<(i32, Verdict)> {
        let held = self.held.get(&id)?;
        let case = Case {
            policy,
            attempts: held.attempts,
            deadline: held.deadline,
            now,
            chance,
        };
        Some((held.taken, case.judge(outcome)))
    }

    /// Whether this process still has a job, as far as it knows.
    pub(super) fn has(&self, id: Uuid, now: Timestamp) -> bool {
        let held = self.held.get(&id);
        held.is_some_and(|held| held.lease_until > now)
    }

    /// Frees the slot of a job.
    pub(super) fn release(&mut self, id: Uuid) {
        self.held.remove(&id);
    }
}
