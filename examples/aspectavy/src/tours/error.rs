//! What can go wrong with a tour, and which code the client gets for it.

use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::problem::codes as core;
use halobestie_core::{Coded, ErrorCode};

use super::store::TOURS_MAX;
use crate::track::Unfinished;

/// The module's codes.
pub(super) mod codes {
    use halobestie_core::ErrorCode;

    /// Points for a tour that has ended.
    pub(in crate::tours) static TOUR_ENDED: ErrorCode = ErrorCode {
        name: "tour_ended",
        status: 409,
        title: "Tour ended",
        meaning: "The tour has been finalised: no further point is taken.",
        client: "Drop the points, or begin another tour.",
    };
    /// More points than a tour may have.
    pub(in crate::tours) static TOUR_FULL: ErrorCode = ErrorCode {
        name: "tour_full",
        status: 409,
        title: "Tour full",
        meaning: "The tour has as many points as a tour may have.",
        client: "Finalise it, and begin another one.",
    };
    /// Somebody has as many tours as one may have.
    pub(in crate::tours) static TOURS_FULL: ErrorCode = ErrorCode {
        name: "tours_full",
        status: 409,
        title: "Too many tours kept",
        meaning: "You have as many tours as one person may have.",
        client: "Let the person delete one.",
    };
    /// More tours at once than one may record.
    pub(in crate::tours) static TOO_MANY_TOURS: ErrorCode = ErrorCode {
        name: "too_many_tours",
        status: 409,
        title: "Too many tours",
        meaning: "You record as many tours as one may at the same time.",
        client: "Finalise one of them.",
    };

    /// Every code of this module, for the catalogue.
    pub(in crate::tours) static ALL: &[&ErrorCode] =
        &[&TOUR_ENDED, &TOUR_FULL, &TOURS_FULL, &TOO_MANY_TOURS];
}

/// Why a tour was not changed or shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum TourError {
    #[error("no such tour of this caller")]
    NotFound,
    #[error("the tour has ended")]
    Ended,
    #[error("the tour has enough points")]
    Full,
    #[error("this person has enough tours")]
    TooManyKept,
    #[error("this person records enough tours")]
    TooMany,
    #[error("a tour cannot be finalised")]
    Bench(#[from] Unfinished),
    #[error("the account has been closed meanwhile")]
    AccountClosed,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for TourError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::NotFound => &core::NOT_FOUND,
            Self::Ended => &codes::TOUR_ENDED,
            Self::Full => &codes::TOUR_FULL,
            Self::TooManyKept => &codes::TOURS_FULL,
            Self::TooMany => &codes::TOO_MANY_TOURS,
            Self::Bench(_) => &core::INTERNAL,
            Self::AccountClosed => &core::UNAUTHENTICATED,
            Self::Db(error) => error.code(),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::TooManyKept => Some(format!("One person may have {TOURS_MAX} tours.")),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Db(error) => error.retry_after(),
            _ => None,
        }
    }
}
