//! The route table, and its description.

use std::sync::Arc;

use halobestie_core::http::{Access, Routes};
use http::Method;
use utoipa::OpenApi;

use super::handlers::{create, delete, list, show};
use super::state::State;

/// Bytes of a file at most: a long day, a point a second.
const GPX_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The routes of the public listener.
pub(super) fn public(state: Arc<State>) -> Routes {
    Routes::with(state)
        .post("/api/routes", Access::SignedIn, create::create)
        .body_limit(GPX_BYTES_MAX)
        .get("/api/routes", Access::SignedIn, list::list)
        .get("/api/routes/{id}", Access::SignedIn, show::show)
        .row(
            Method::DELETE,
            "/api/routes/{id}",
            Access::SignedIn,
            delete::delete,
        )
        .into()
}

/// Their description.
#[derive(OpenApi)]
#[openapi(
    tags((name = "routes", description = "GPX files and the cards that are compiled of them.")),
    paths(create::create, list::list, show::show, delete::delete),
)]
pub(super) struct Description;
