//! The route table, and its description.

use std::sync::Arc;

use halobestie_core::http::{Access, Routes};
use utoipa::OpenApi;

use crate::handlers::{create, show};
use crate::incoming::FILE_BYTES_MAX;
use crate::state::State;

/// What a form adds to its file.
const FORM_BYTES: usize = 64 * 1024;

/// The routes of the public listener.
pub(crate) fn public(state: Arc<State>) -> Routes {
    Routes::with(state)
        .post("/api/uploads", Access::EitherSide, create::create)
        .body_limit(FILE_BYTES_MAX + FORM_BYTES)
        .get("/api/uploads/{id}", Access::EitherSide, show::show)
        .into()
}

/// Their description.
#[derive(OpenApi)]
#[openapi(
    tags((name = "uploads", description = "Pictures and recordings, to be sent in a session.")),
    paths(create::create, show::show),
)]
pub(crate) struct Description;
