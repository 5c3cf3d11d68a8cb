//! Signing in by a one-time code.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, Request, network_of, reply};
use halobestie_core::pg::Query;
use halobestie_core::ports::{Device, Role};
use halobestie_core::problem::{FieldError, Problem};
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::AuthError;
use crate::issuing::{Issued, Wanted};
use crate::otp;
use crate::phone::Phone;
use crate::state::State;
use crate::store::otps;
use crate::store::users::{self, NewUser, User};
use crate::tokens::Tokens;

/// Who signs in by a code.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = auth::OtpRole)]
pub(crate) enum OtpRole {
    Customer,
    Mitra,
}

impl From<OtpRole> for Role {
    fn from(role: OtpRole) -> Self {
        match role {
            OtpRole::Customer => Self::Customer,
            OtpRole::Mitra => Self::Mitra,
        }
    }
}

/// Asks for a code.
#[derive(Deserialize, ToSchema)]
#[schema(as = auth::OtpRequest)]
pub(crate) struct OtpRequest {
    /// E.164, or as written in Indonesia.
    #[schema(example = "081234567890")]
    phone: String,
    role: OtpRole,
}

/// A code is on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = auth::OtpSent)]
pub(crate) struct OtpSent {
    /// To be sent along with the code.
    otp_id: Uuid,
    /// `fazpass`: by a message. `bypass`: not at all, the code is fixed.
    #[schema(example = "fazpass")]
    channel: &'static str,
    expires_at: Timestamp,
    /// When another code may be asked for.
    resend_after_seconds: u64,
}

/// Ask for a one-time code
///
/// The answer is the same whether or not the number is known. The code is good for five minutes and
/// five attempts. Numbers are taken as E.164 or as written in Indonesia (`0812…`, `62812…`).
#[utoipa::path(
    operation_id = "auth_otp_request",
    post, path = "/api/auth/otp/request", tag = "auth", request_body = OtpRequest,
    responses(
        (status = 202, description = "A code is on its way.", body = OtpSent),
        (status = 404, description = "`otp_off`: with `OTP_ENABLED=false`."),
        (status = 422, description = "`validation_failed`: no mobile number, or an unknown role."),
        (status = 429, description = "`rate_limited`: too soon, or too many in an hour, for this \
            phone or from this network, or the day's budget of all is spent; `Retry-After` says when."),
        (status = 502, description = "`otp_not_sent`: the carrier refused the message. It counts \
            against no limit of this phone."),
        (status = 503, description = "`dependency_unavailable`: the carrier is away, or nobody knows \
            whether the message went out; `Retry-After` says when another may be asked for."),
    ),
)]
pub(crate) async fn request(state: Arc<State>, mut req: Request) -> Reply {
    if !state.otp_enabled {
        return Err(AuthError::OtpOff.into());
    }
    let body: OtpRequest = req.json().await?;
    let Some(phone) = Phone::parse(&body.phone) else {
        let message = "must be a mobile number, such as 081234567890 or +6281234567890";
        return Err(Problem::invalid("phone", message));
    };
    let issued = state.issue_code(Wanted {
        phone: &phone,
        role: body.role.into(),
        network: network_of(req.client_addr(&state.server.trusted_proxies)),
        request_id: req.request_id(),
    });
    let Issued { otp_id, expires_at } = issued.await?;
    reply::accepted(&OtpSent {
        otp_id,
        channel: state.ways.channel(),
        expires_at,
        resend_after_seconds: state.otp_limits.resend.as_secs(),
    })
}

/// Shows a code.
#[derive(Deserialize, ToSchema)]
#[schema(as = auth::OtpVerify)]
pub(crate) struct OtpVerify {
    /// From the answer to the request.
    otp_id: Uuid,
    /// Six digits.
    #[schema(example = "000000")]
    code: String,
    /// Shown in the caller's list of sessions.
    device: Option<Device>,
}

impl OtpVerify {
    fn check(&self) -> Result<(), Problem> {
        let mut problems = self
            .device
            .as_ref()
            .map(Device::problems)
            .unwrap_or_default();
        if !otp::is_code(&self.code) {
            let (field, message) = ("code".to_owned(), "must be six digits".to_owned());
            problems.push(FieldError { field, message });
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid_fields(problems))
        }
    }
}

/// Sign in by a one-time code
///
/// A customer's account is made by their first sign-in (`user.is_new`); a mitra's by an admin. A code
/// is good once. An unknown, a used and an expired `otp_id` are all answered 410.
#[utoipa::path(
    operation_id = "auth_otp_verify",
    post, path = "/api/auth/otp/verify", tag = "auth", request_body = OtpVerify,
    responses(
        (status = 200, description = "Signed in.", body = Tokens),
        (status = 401, description = "`otp_invalid`, with `attempts_left`."),
        (status = 403, description = "The code was right; `mitra_not_registered` or `account_disabled`."),
        (status = 410, description = "`otp_expired`: expired, used, or never there."),
        (status = 422, description = "`validation_failed`; no attempt is spent."),
        (status = 429, description = "`otp_attempts_exhausted`; `Retry-After` says when another \
            code may be asked for."),
    ),
)]
pub(crate) async fn verify(state: Arc<State>, mut req: Request) -> Reply {
    let body: OtpVerify = req.json().await?;
    body.check()?;
    let now = state.clock.now();
    // Committed before the code is compared: an attempt that was made is gone, whatever comes next.
    let Some(attempt) = otps::spend_attempt(&state.db, body.otp_id, now).await? else {
        return Err(no_attempt(&state, body.otp_id, now).await.into());
    };
    if !otp::is_right(&state.keys, body.otp_id, &body.code, &attempt.code_hash) {
        return Err(AuthError::OtpInvalid {
            attempts_left: attempt.attempts_left,
        }
        .into());
    }
    sign_in(&state, &body, now).await?.reply()
}

async fn no_attempt(state: &State, otp_id: Uuid, now: Timestamp) -> AuthError {
    match otps::exhausted(&state.db, otp_id, now).await {
        Ok(Some(created_at)) => {
            let wait = (created_at + state.otp_limits.resend).since(now);
            AuthError::OtpAttemptsExhausted { wait }
        }
        Ok(None) => AuthError::OtpExpired,
        Err(error) => error.into(),
    }
}

async fn sign_in(state: &State, body: &OtpVerify, now: Timestamp) -> Result<Tokens, Problem> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let claimed = otps::claim(&tx, body.otp_id, now)
        .await?
        .ok_or(AuthError::OtpExpired)?;
    let found = users::hold_by_phone(&tx, claimed.role, &claimed.phone).await?;
    let refusal = match &found {
        Some(user) if !user.is_active => Some(AuthError::AccountDisabled),
        None if claimed.role == Role::Mitra => Some(AuthError::MitraNotRegistered),
        _ => None,
    };
    if let Some(refusal) = refusal {
        // The code was right, so it is used.
        tx.commit().await?;
        return Err(refusal.into());
    }
    let (user, is_new) = match found {
        Some(user) => (user, false),
        None => first_sign_in(state, &tx, &claimed.phone, now).await?,
    };
    let user_id = user.id;
    let tokens = state
        .open_session(&tx, user, is_new, body.device.as_ref(), now)
        .await?;
    tx.commit().await?;
    info!(user.id = %user_id, is_new, "signed in");
    Ok(tokens)
}

async fn first_sign_in(
    state: &State,
    tx: &impl Query,
    phone: &str,
    now: Timestamp,
) -> Result<(User, bool), Problem> {
    let role = Role::Customer;
    let new = NewUser {
        id: state.entropy.uuid(&state.clock),
        role,
        phone: Some(phone),
        email: None,
        display_name: &users::friendly_name(&state.entropy),
    };
    if let Some(user) = users::insert(tx, new, now).await? {
        return Ok((user, true));
    }
    // Two first sign-ins at once: the other has made the account, and has committed it.
    let user = users::hold_by_phone(tx, role, phone).await?;
    user.map(|user| (user, false))
        .ok_or_else(|| AuthError::OtpExpired.into())
}
