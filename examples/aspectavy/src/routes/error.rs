//! What can go wrong with a route, and which code the client gets for it.

use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::problem::codes as core;
use halobestie_core::{Coded, ErrorCode};

use super::store::ROUTES_MAX;
use crate::track::Unfinished;

/// The module's codes.
pub(super) mod codes {
    use halobestie_core::ErrorCode;

    /// Somebody has as many routes as one may have.
    pub(in crate::routes) static TOO_MANY_ROUTES: ErrorCode = ErrorCode {
        name: "too_many_routes",
        status: 409,
        title: "Too many routes",
        meaning: "You have as many routes as one person may have.",
        client: "Let the person delete one.",
    };

    /// Every code of this module, for the catalogue.
    pub(in crate::routes) static ALL: &[&ErrorCode] = &[&TOO_MANY_ROUTES];
}

/// Why a route was not kept or shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum RouteError {
    #[error("the body is no GPX by its content type")]
    NotGpx,
    #[error("this person has enough routes")]
    TooMany,
    #[error("no such route of this caller")]
    NotFound,
    #[error("a route cannot be compiled")]
    Bench(#[from] Unfinished),
    #[error("the account has been closed meanwhile")]
    AccountClosed,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for RouteError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::NotGpx => &core::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany => &codes::TOO_MANY_ROUTES,
            Self::NotFound => &core::NOT_FOUND,
            Self::Bench(_) => &core::INTERNAL,
            Self::AccountClosed => &core::UNAUTHENTICATED,
            Self::Db(error) => error.code(),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::NotGpx => Some("Send Content-Type: application/gpx+xml.".to_owned()),
            Self::TooMany => Some(format!("One person may have {ROUTES_MAX} routes.")),
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
