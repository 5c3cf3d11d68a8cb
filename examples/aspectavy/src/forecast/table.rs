//! The route table, and its description.

use std::sync::Arc;

use halobestie_core::http::{Access, Routes};
use utoipa::OpenApi;

use super::handlers::{list, show};
use super::state::State;

/// The routes of the public listener.
pub(super) fn public(state: Arc<State>) -> Routes {
    Routes::with(state)
        .get("/api/forecasts", Access::Anyone, list::list)
        .get("/api/forecasts/{region}", Access::Anyone, show::show)
        .into()
}

/// Their description.
#[derive(OpenApi)]
#[openapi(
    tags((name = "forecast", description = "Avalanche forecasts, region by region.")),
    paths(list::list, show::show),
)]
pub(super) struct Description;
