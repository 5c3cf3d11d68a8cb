//! The caller's own account.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};

use crate::act::Caller;
use crate::acts::account::{self as acts, ChangePassword};
use crate::state::State;

/// Change the own password
///
/// Signs out everywhere else. A wrong `current` counts as a wrong password at the sign-in does.
#[utoipa::path(
    operation_id = "admin_password",
    post, path = "/api/admin/auth/password", tag = "admin", security(("bearer" = [])),
    request_body = ChangePassword,
    responses(
        (status = 204, description = "Changed"),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 422, description = "`validation_failed`"),
        (status = 429, description = "`rate_limited`; `Retry-After` says when"),
        (status = 503, description = "`overloaded`: too many passwords are being checked"),
    ),
)]
pub(crate) async fn change(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let address = req.client_addr(&state.server.trusted_proxies);
    let asked: ChangePassword = req.json().await?;
    acts::change_password(&state, &caller, asked, address).await?;
    reply::no_content()
}
