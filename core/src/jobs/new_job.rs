//! A job that is to be enqueued.

use std::fmt::Display;

use super::Job;
use crate::timestamp::Timestamp;

/// A job that is to be enqueued.
#[derive(Clone, Debug)]
pub struct NewJob<J> {
    pub(super) payload: J,
    pub(super) key: Option<String>,
    pub(super) run_at: Option<Timestamp>,
    pub(super) deadline: Option<Timestamp>,
}

impl<J: Job> NewJob<J> {
    /// To be done as soon as may be, and within the policy's life.
    pub fn of(payload: J) -> Self {
        let (key, run_at, deadline) = (None, None, None);
        Self {
            payload,
            key,
            run_at,
            deadline,
        }
    }

    /// The only one of its kind with this key, as [`super::Unique`] says: otherwise it is not enqueued.
    #[must_use]
    pub fn key(mut self, key: impl Display) -> Self {
        self.key = Some(key.to_string());
        self
    }

    /// Not before this instant.
    #[must_use]
    pub fn at(mut self, run_at: Timestamp) -> Self {
        self.run_at = Some(run_at);
        self
    }

    /// Not from this instant on.
    #[must_use]
    pub fn deadline(mut self, deadline: Timestamp) -> Self {
        self.deadline = Some(deadline);
        self
    }
}
