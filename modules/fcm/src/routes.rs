//! The routes, a row each.

use std::sync::Arc;

use halobestie_core::http::{Access, Routes};
use http::Method;

use crate::handlers::{forget, register};
use crate::state::State;

/// Routes of the public listener.
pub(crate) fn public(state: Arc<State>) -> Routes {
    Routes::with(state)
        .row(
            Method::PUT,
            "/api/devices",
            Access::EitherSide,
            register::register,
        )
        .row(
            Method::DELETE,
            "/api/devices/{token}",
            Access::EitherSide,
            forget::forget,
        )
        .into()
}
