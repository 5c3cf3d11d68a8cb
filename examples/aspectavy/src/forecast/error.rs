//! What can go wrong with reading a forecast, and which code the client gets for it.

use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::problem::codes as core;
use halobestie_core::{BoxError, Coded, ErrorCode};

/// The module's codes.
pub(super) mod codes {
    use halobestie_core::ErrorCode;

    /// There is none, and none can be had.
    pub(in crate::forecast) static FORECAST_UNAVAILABLE: ErrorCode = ErrorCode {
        name: "forecast_unavailable",
        status: 503,
        title: "No forecast yet",
        meaning: "There is no forecast of this region yet, and its service does not answer.",
        client: "Say that there is none, and retry after the time in Retry-After.",
    };

    /// Every code of this module, for the catalogue.
    pub(in crate::forecast) static ALL: &[&ErrorCode] = &[&FORECAST_UNAVAILABLE];
}

/// When to come back for a forecast that is not there.
const RETRY: Duration = Duration::from_secs(10);

/// Why a forecast is not shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum ForecastError {
    #[error("there is no such region")]
    UnknownRegion,
    #[error("there is no forecast yet")]
    None,
    #[error("there is no forecast, and the feed gives none")]
    Feed(#[source] BoxError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for ForecastError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::UnknownRegion => &core::NOT_FOUND,
            Self::None | Self::Feed(_) => &codes::FORECAST_UNAVAILABLE,
            Self::Db(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::None | Self::Feed(_) => Some(RETRY),
            Self::Db(error) => error.retry_after(),
            Self::UnknownRegion => None,
        }
    }
}
