//! Admins sign in by password, on the internal listener alone.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request};
use halobestie_core::problem::Problem;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::refresh::{Door, RefreshRequest, refresh_at};
use super::sessions::log_out;
use crate::admin_login::{self, RightPassword};
use crate::state::State;
use crate::tokens::Tokens;

/// An admin's email and password.
#[derive(Deserialize, ToSchema)]
#[schema(as = auth::AdminLogin)]
pub(crate) struct AdminLogin {
    #[schema(example = "admin@halobestie.test")]
    email: String,
    #[schema(value_type = String)]
    password: SecretString,
}

/// Sign in as an admin
///
/// The answer to an unknown email is the same as to a wrong password, and takes as long. Wrong passwords
/// are counted for a quarter of an hour: five for one account from one address, twenty for one account
/// from addresses where it has not signed in within 90 days, fifty from one address. Whoever comes from
/// where they have signed in before does not wait for what others do elsewhere.
#[utoipa::path(
    operation_id = "admin_login",
    post, path = "/api/admin/auth/login", tag = "admin", request_body = AdminLogin,
    responses(
        (status = 200, description = "Signed in; the role is `admin`.", body = Tokens),
        (status = 401, description = "`invalid_credentials`."),
        (status = 403, description = "The password was right; `account_disabled`."),
        (status = 429, description = "`rate_limited`; `Retry-After` says when."),
        (status = 503, description = "`overloaded`: too many passwords are being checked."),
    ),
)]
pub(crate) async fn login(state: Arc<State>, mut req: Request) -> Reply {
    let AdminLogin { email, password } = req.json().await?;
    let address = req.client_addr(&state.server.trusted_proxies);
    let right = admin_login::check(&state, &email, password.clone(), address).await?;
    let tokens = open(&state, &right).await?;
    right.renew_hash(&state, password).await;
    tokens.reply()
}

async fn open(state: &State, right: &RightPassword) -> Result<Tokens, Problem> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let user = right.hold(&tx).await?;
    let now = state.clock.now();
    let tokens = state.open_session(&tx, user, false, None, now).await?;
    right.commit(state, tx).await?;
    Ok(tokens)
}

/// Get new tokens for an admin's refresh token
///
/// The rules are those of `/api/auth/refresh`.
#[utoipa::path(
    operation_id = "admin_refresh",
    post, path = "/api/admin/auth/refresh", tag = "admin", request_body = RefreshRequest,
    responses(
        (status = 200, description = "New tokens.", body = Tokens),
        (status = 401, description = "`refresh_invalid` or `refresh_reused`."),
    ),
)]
pub(crate) async fn refresh(state: Arc<State>, req: Request) -> Reply {
    refresh_at(&state, req, Door::Internal).await
}

/// Sign out as an admin
#[utoipa::path(
    operation_id = "admin_logout",
    post, path = "/api/admin/auth/logout", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 204, description = "This session is revoked, on every replica."),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
        (status = 403, description = "`forbidden`: not an admin."),
    ),
)]
pub(crate) async fn logout(state: Arc<State>, req: Request) -> Reply {
    log_out(&state, &req.caller()?).await
}
