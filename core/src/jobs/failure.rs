//! Why an attempt did not do the job, and so what follows.

use std::time::Duration;

use crate::problem::BoxError;

/// Why an attempt did not do the job. Any error becomes [`Failure::Retry`] by `?`, so a handler names
/// the other two alone. Like `anyhow::Error` it is no `Error` itself, which is what allows that.
#[derive(Debug)]
pub enum Failure {
    /// It may work another time. Counts as an attempt.
    Retry {
        /// When, if somebody said so (`Retry-After`); by the policy's back-off otherwise.
        after: Option<Duration>,
        /// Why; kept with the job.
        cause: BoxError,
    },
    /// Nothing is wrong, and it cannot be done yet: what it waits for is not there, or the upstream
    /// wants no more calls for now. Does not count as an attempt; the deadline ends it.
    NotYet {
        /// When to look again; a tenth of a second at least.
        after: Duration,
        /// What it waits for; kept with the job.
        cause: BoxError,
    },
    /// It will never work: a dead letter.
    GiveUp(BoxError),
}

impl Failure {
    /// Another attempt, after the pause that somebody has named.
    pub fn retry_after(after: Duration, cause: impl Into<BoxError>) -> Self {
        let (after, cause) = (Some(after), cause.into());
        Self::Retry { after, cause }
    }

    /// Another look, that does not count as an attempt.
    pub fn not_yet(after: Duration, cause: impl Into<BoxError>) -> Self {
        let cause = cause.into();
        Self::NotYet { after, cause }
    }

    /// No other attempt.
    pub fn give_up(cause: impl Into<BoxError>) -> Self {
        Self::GiveUp(cause.into())
    }
}

impl<E: Into<BoxError>> From<E> for Failure {
    fn from(cause: E) -> Self {
        let (after, cause) = (None, cause.into());
        Self::Retry { after, cause }
    }
}
