//! The route table, and its description.

use std::sync::Arc;

use halobestie_core::http::{Access, Routes};
use halobestie_core::ports::Role;
use utoipa::OpenApi;

use crate::handlers::{State, beacon, status};

/// The routes of the public listener.
pub(crate) fn public(state: Arc<State>) -> Routes {
    let mitra = Access::Only(Role::Mitra);
    Routes::with(state)
        .get("/api/customer/availability", Access::Anyone, beacon::show)
        .get("/api/mitra/status", mitra, status::show)
        .post("/api/mitra/status/online", mitra, status::go_online)
        .post("/api/mitra/status/offline", mitra, status::go_offline)
        .post("/api/mitra/status/heartbeat", mitra, status::heartbeat)
        .into()
}

/// Their description.
#[derive(OpenApi)]
#[openapi(
    tags((name = "availability", description = "Which mitras can be asked, and a mitra's own switch.")),
    paths(beacon::show, status::show, status::go_online, status::go_offline, status::heartbeat),
)]
pub(crate) struct Description;
