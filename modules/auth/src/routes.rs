//! The routes, a row each.

use std::sync::Arc;

use halobestie_core::http::{Access, Routes};
use halobestie_core::ports::Role;
use http::Method;

use crate::handlers::{admin, cookie, me, otp, refresh, sessions};
use crate::state::State;

/// Routes of the public listener.
pub(crate) fn public(state: Arc<State>) -> Routes {
    Routes::with(state)
        .post("/api/auth/otp/request", Access::Anyone, otp::request)
        .post("/api/auth/otp/verify", Access::Anyone, otp::verify)
        .post("/api/auth/refresh", Access::Anyone, refresh::refresh)
        .post("/api/auth/cookie", Access::EitherSide, cookie::create)
        .post("/api/auth/logout", Access::SignedIn, sessions::logout)
        .get("/api/auth/me", Access::SignedIn, me::show)
        // Admins are named, and taken away, by owners: in the control center, by its rules and with its
        // audit.
        .row(
            Method::PATCH,
            "/api/auth/me",
            Access::EitherSide,
            me::update,
        )
        .row(
            Method::DELETE,
            "/api/auth/me",
            Access::EitherSide,
            me::close,
        )
        .get("/api/auth/sessions", Access::SignedIn, sessions::list)
        .row(
            Method::DELETE,
            "/api/auth/sessions/{id}",
            Access::SignedIn,
            sessions::end,
        )
        .into()
}

/// Routes of the internal listener.
pub(crate) fn internal(state: Arc<State>) -> Routes {
    Routes::with(state)
        .post("/api/admin/auth/login", Access::Anyone, admin::login)
        .post("/api/admin/auth/refresh", Access::Anyone, admin::refresh)
        .post(
            "/api/admin/auth/logout",
            Access::Only(Role::Admin),
            admin::logout,
        )
        .into()
}
