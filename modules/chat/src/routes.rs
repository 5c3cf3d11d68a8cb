//! The route table, nothing else.

use std::sync::Arc;

use halobestie_core::http::{Access, Routes};
use halobestie_core::ports::Role;

use crate::handlers::{extensions, messages, offers, packages, requests, sessions, socket};
use crate::state::State;

const CUSTOMER: Access = Access::Only(Role::Customer);
const MITRA: Access = Access::Only(Role::Mitra);
const BOTH: Access = Access::EitherSide;

/// Everything that the public listener serves for this module.
pub(crate) fn public(state: Arc<State>) -> Routes {
    Routes::with(state)
        .get("/api/customer/packages", Access::Anyone, packages::list)
        .post("/api/customer/chat/requests", CUSTOMER, requests::create)
        .get("/api/customer/chat/requests/{id}", CUSTOMER, requests::show)
        .post(
            "/api/customer/chat/requests/{id}/cancel",
            CUSTOMER,
            requests::cancel,
        )
        .get("/api/mitra/chat/offers", MITRA, offers::list)
        .post(
            "/api/mitra/chat/offers/{request_id}/accept",
            MITRA,
            offers::accept,
        )
        .post(
            "/api/mitra/chat/offers/{request_id}/decline",
            MITRA,
            offers::decline,
        )
        .get("/api/chat/sessions", BOTH, sessions::list)
        .get("/api/chat/sessions/{id}", BOTH, sessions::show)
        .post("/api/chat/sessions/{id}/end", BOTH, sessions::end)
        .post("/api/chat/sessions/{id}/reroute", MITRA, sessions::reroute)
        .post(
            "/api/chat/sessions/{id}/extensions",
            CUSTOMER,
            extensions::create,
        )
        .get("/api/chat/sessions/{id}/messages", BOTH, messages::list)
        .post("/api/chat/sessions/{id}/messages", BOTH, messages::send)
        .post("/api/chat/sessions/{id}/read", BOTH, messages::read)
        .get("/api/ws", Access::Anyone, socket::open)
        .into()
}
