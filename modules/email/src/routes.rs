//! The routes, a row each.

use std::sync::Arc;

use halobestie_core::http::{Access, Routes};

use crate::handlers::{open, request, verify};
use crate::state::State;

/// Routes of the public listener.
pub(crate) fn public(state: Arc<State>) -> Routes {
    Routes::with(state)
        .post("/api/auth/email/request", Access::Anyone, request::request)
        .post("/api/auth/email/verify", Access::Anyone, verify::verify)
        .get(open::PATH, Access::Anyone, open::open)
        .into()
}
