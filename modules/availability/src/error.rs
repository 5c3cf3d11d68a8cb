//! What can go wrong, and which code the client gets for it.

use std::sync::Arc;

use halobestie_core::pg::DbError;
use halobestie_core::ports::HeartbeatError;
use halobestie_core::{Coded, ErrorCode};

/// The module's codes.
pub mod codes {
    use halobestie_core::ErrorCode;

    /// The mitra may not work.
    pub static MITRA_DEACTIVATED: ErrorCode = ErrorCode {
        name: "mitra_deactivated",
        status: 403,
        title: "Mitra deactivated",
        meaning: "This mitra was deactivated and cannot be online.",
        client: "Stop sending heartbeats, show the account as deactivated and point to support.",
    };

    /// Every code of this module, for the catalogue.
    pub static ALL: &[&ErrorCode] = &[&MITRA_DEACTIVATED];
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum AvailabilityError {
    /// The mitra may not work.
    #[error("mitra is deactivated")]
    Deactivated,
    /// Postgres was needed and did not answer.
    #[error("cannot read or write mitras")]
    Db(#[from] DbError),
    /// The beacon could not be computed; everyone who waited for it gets the same cause.
    #[error("cannot count available mitras")]
    Beacon(#[source] Arc<DbError>),
}

impl Coded for AvailabilityError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::Deactivated => &codes::MITRA_DEACTIVATED,
            Self::Db(error) => error.code(),
            Self::Beacon(error) => error.code(),
        }
    }
}

impl From<HeartbeatError> for AvailabilityError {
    fn from(error: HeartbeatError) -> Self {
        match error {
            HeartbeatError::Deactivated => Self::Deactivated,
            HeartbeatError::Db(error) => Self::Db(error),
        }
    }
}
