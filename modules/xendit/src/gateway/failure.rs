//! Why a call to the provider came to nothing, and whether anything can have happened there.

use std::time::Duration;

use halobestie_core::BoxError;
use halobestie_core::jobs::Failure;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatewayError {
    /// Nothing was done: too many calls, by the provider's count or ours.
    #[error("xendit takes no more calls for {} s", after.as_secs_f64())]
    Busy {
        /// When to come back.
        after: Duration,
    },
    /// Nothing was done, and nothing ever will be: it says no.
    #[error("xendit refuses: {said}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its `error_code`; empty where it has none.
        code: String,
        /// All of it, fit for a log.
        said: String,
    },
    /// Nothing was done: it could not be reached.
    #[error("xendit cannot be reached")]
    Unsent(#[source] BoxError),
    /// Anything may have happened: the answer is lost, broken, or an error of its own.
    #[error("xendit has not answered properly: {said}")]
    Unclear {
        /// What there was.
        said: String,
        /// Why there was no more, if that is known.
        #[source]
        cause: Option<BoxError>,
    },
}

impl GatewayError {
    /// Whether it says no, and would again.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// As what a job makes of it: another attempt, or, where calls are short, a pause that does not
    /// count as one.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Busy { after } => Failure::not_yet(after, self),
            other => other.into(),
        }
    }
}
