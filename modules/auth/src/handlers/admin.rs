//! Admins sign in by password, on the internal listener alone.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, Request};
use halobestie_core::problem::Problem;
use secrecy::SecretString;
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;
use uuid::Uuid;

use super::refresh::{Door, RefreshRequest, refresh_at};
use super::sessions::log_out;
use crate::error::AuthError;
use crate::keys::{Hash, Purpose};
use crate::state::State;
use crate::store::{login_failures, users};
use crate::tokens::Tokens;

/// Tries for one account from one address, in a window, until one is right.
const TRIES_MAX: i32 = 5;
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// An admin's email and password.
#[derive(Deserialize, ToSchema)]
#[schema(as = auth::AdminLogin)]
pub(crate) struct AdminLogin {
    #[schema(example = "admin@halobestie.test")]
    email: String,
    #[schema(value_type = String)]
    password: SecretString,
}

/// Whose tries are counted together.
struct Throttle {
    account_hash: Hash,
    address: String,
}

/// Sign in as an admin
///
/// The answer to an unknown email is the same as to a wrong password, and takes as long. After five
/// wrong passwords for one account from one address that address must wait up to 15 minutes; others
/// need not.
#[utoipa::path(
    operation_id = "admin_login",
    post, path = "/api/admin/auth/login", tag = "admin", request_body = AdminLogin,
    responses(
        (status = 200, description = "Signed in; the role is `admin`.", body = Tokens),
        (status = 401, description = "`invalid_credentials`."),
        (status = 403, description = "The password was right; `account_disabled`."),
        (status = 429, description = "`rate_limited`; `Retry-After` says when."),
    ),
)]
pub(crate) async fn login(state: Arc<State>, mut req: Request) -> Reply {
    let body: AdminLogin = req.json().await?;
    let email = normal_email(&body.email);
    let now = state.clock.now();
    let throttle = Throttle {
        account_hash: state.keys.hash(Purpose::Contact, &[email.as_bytes()]),
        address: req.client_addr(&state.server.trusted_proxies).to_string(),
    };
    count_try(&state, &throttle, now).await?;
    let (user_id, kept) = users::admin_password(&state.db, &email).await?.unzip();
    let is_right = state
        .passwords
        .is_right(body.password, kept.flatten())
        .await;
    match user_id {
        Some(user_id) if is_right.map_err(Problem::internal)? => {
            sign_in(&state, user_id, &throttle, now).await?.reply()
        }
        _ => Err(AuthError::InvalidCredentials.into()),
    }
}

/// The form in which emails are stored.
pub(crate) fn normal_email(text: &str) -> String {
    text.trim().to_lowercase()
}

async fn count_try(state: &State, throttle: &Throttle, now: Timestamp) -> Result<(), AuthError> {
    let Throttle {
        account_hash,
        address,
    } = throttle;
    let cutoff = now - WINDOW;
    let tries = login_failures::count(&state.db, account_hash, address, now, cutoff).await?;
    if tries.count > TRIES_MAX {
        let wait = (tries.window_started_at + WINDOW).since(now);
        return Err(AuthError::LoginRateLimited { wait });
    }
    Ok(())
}

async fn sign_in(
    state: &State,
    user_id: Uuid,
    throttle: &Throttle,
    now: Timestamp,
) -> Result<Tokens, Problem> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    // Held and looked at again: it may have been closed while the password was checked.
    let user = users::hold(&tx, user_id)
        .await?
        .filter(|user| !user.is_closed);
    let user = user.ok_or(AuthError::InvalidCredentials)?;
    if !user.is_active {
        return Err(AuthError::AccountDisabled.into());
    }
    let tokens = state.open_session(&tx, user, false, None, now).await?;
    login_failures::forget(&tx, &throttle.account_hash, &throttle.address).await?;
    tx.commit().await?;
    info!(user.id = %user_id, "admin signed in");
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
