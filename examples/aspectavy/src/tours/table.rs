//! The route table, and its description.

use std::sync::Arc;

use halobestie_core::http::{Access, Routes};
use http::Method;
use utoipa::OpenApi;

use super::handlers::{add_points, begin, delete, finalise, list, show};
use super::state::State;

/// A thousand points, written at length.
const POINTS_BYTES_MAX: usize = 256 * 1024;

/// The routes of the public listener.
pub(super) fn public(state: Arc<State>) -> Routes {
    Routes::with(state)
        .post("/api/tours", Access::SignedIn, begin::begin)
        .get("/api/tours", Access::SignedIn, list::list)
        .get("/api/tours/{id}", Access::SignedIn, show::show)
        .row(
            Method::DELETE,
            "/api/tours/{id}",
            Access::SignedIn,
            delete::delete,
        )
        .post(
            "/api/tours/{id}/points",
            Access::SignedIn,
            add_points::add_points,
        )
        .body_limit(POINTS_BYTES_MAX)
        .post(
            "/api/tours/{id}/finalise",
            Access::SignedIn,
            finalise::finalise,
        )
        .into()
}

/// Their description.
#[derive(OpenApi)]
#[openapi(
    tags((name = "tours", description = "Tours as they are recorded, and what they came to.")),
    paths(
        begin::begin,
        list::list,
        show::show,
        delete::delete,
        add_points::add_points,
        finalise::finalise,
    ),
)]
pub(super) struct Description;
