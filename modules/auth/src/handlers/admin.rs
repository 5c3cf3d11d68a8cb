//! Admins sign in by password, on the internal listener alone.

use std::sync::Arc;

use halobestie_core::BoxError;
use halobestie_core::http::{Reply, Request};
use halobestie_core::problem::Problem;
use secrecy::SecretString;
use serde::Deserialize;
use tracing::{info, warn};
use utoipa::ToSchema;
use uuid::Uuid;

use super::refresh::{Door, RefreshRequest, refresh_at};
use super::sessions::log_out;
use crate::admins::normal_email;
use crate::error::AuthError;
use crate::login_throttle::{Admitted, Throttle};
use crate::state::State;
use crate::store::admins;
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
    let body: AdminLogin = req.json().await?;
    let email = normal_email(&body.email);
    let address = req.client_addr(&state.server.trusted_proxies);
    let throttle = Throttle::new(&state.keys, &email, address);
    let admitted = throttle.admit(&state, state.clock.now()).await?;
    let found = admins::password(&state.db, &email).await?;
    let kept = found.as_ref().and_then(|(_, kept)| kept.clone());
    let is_right = state.passwords.is_right(body.password.clone(), kept).await;
    // From here on it is no secret whether there is such an account.
    let Some((user_id, Some(kept))) = found.filter(|_| matches!(is_right, Ok(true))) else {
        is_right?;
        return Err(AuthError::InvalidCredentials.into());
    };
    let right = RightPassword { user_id, kept };
    let tokens = sign_in(&state, &right, &throttle, admitted).await?;
    renew_hash(&state, &right, body.password).await;
    tokens.reply()
}

/// A password that was right a moment ago.
struct RightPassword {
    user_id: Uuid,
    kept: String,
}

async fn sign_in(
    state: &State,
    right: &RightPassword,
    throttle: &Throttle,
    admitted: Admitted,
) -> Result<Tokens, Problem> {
    let now = state.clock.now();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    // Held and looked at again: while the password was checked the account may have been closed, or
    // the password reset, and a reset must find every session of the old one.
    let user = admins::hold_with_password(&tx, right.user_id, &right.kept).await?;
    let user = user.ok_or(AuthError::InvalidCredentials)?;
    if !user.is_active {
        return Err(AuthError::AccountDisabled.into());
    }
    let tokens = state.open_session(&tx, user, false, None, now).await?;
    throttle.was_right(&tx, admitted, now).await?;
    tx.commit().await?;
    info!(user.id = %right.user_id, "admin signed in");
    Ok(tokens)
}

/// Makes a hash of another cost anew. The sign-in does not depend on it.
async fn renew_hash(state: &State, right: &RightPassword, password: SecretString) {
    if !state.passwords.is_outdated(&right.kept) {
        return;
    }
    let renewed = async {
        let hash = state.passwords.hash(password, &state.entropy).await?;
        admins::replace_hash(&state.db, right.user_id, &right.kept, &hash).await?;
        Ok::<(), BoxError>(())
    };
    if let Err(error) = renewed.await {
        warn!(error = &*error, user.id = %right.user_id, "a password's hash was not renewed");
    }
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
