//! What can go wrong, and the code that a client sees.

use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::problem::codes;
use halobestie_core::{Coded, ErrorCode};

static EMAIL_LINK_EXPIRED: ErrorCode = ErrorCode {
    name: "email_link_expired",
    status: 410,
    title: "Link expired",
    meaning: "The link has expired, was used, or never existed.",
    client: "Ask for a new link.",
};

/// Every code of this module, for the catalogue.
pub(crate) static ALL: &[&ErrorCode] = &[&EMAIL_LINK_EXPIRED];

/// When to ask again after the postbox was full.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// Why nobody was sent a link or signed in by one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmailError {
    /// A token that opens nothing.
    #[error("link has expired, was used or never existed")]
    LinkExpired,
    /// A recipient or an address that asked too often, or a day's budget that is spent.
    #[error("too many links were asked for")]
    RateLimited {
        /// Until another may be asked for.
        wait: Duration,
    },
    /// More letters wait than the postbox holds.
    #[error("too many letters wait to be sent")]
    PostboxFull,
    /// Postgres.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for EmailError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::LinkExpired => &EMAIL_LINK_EXPIRED,
            Self::RateLimited { .. } => &codes::RATE_LIMITED,
            Self::PostboxFull => &codes::DEPENDENCY_UNAVAILABLE,
            Self::Db(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { wait } => Some(*wait),
            Self::PostboxFull => Some(BUSY_WAIT),
            _ => None,
        }
    }
}
