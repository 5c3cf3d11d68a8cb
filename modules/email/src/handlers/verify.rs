//! Signing in by a link.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request};
use halobestie_core::ports::Device;
use halobestie_core::problem::Problem;
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;

use crate::error::EmailError;
use crate::state::State;
use crate::store;
use crate::token::Token;

/// Shows what was in a link.
#[derive(Deserialize, ToSchema)]
#[schema(as = email::Verify)]
pub(crate) struct EmailVerify {
    /// The link's `token`.
    token: String,
    /// Shown in the caller's list of sessions.
    device: Option<Device>,
}

/// Sign in by an emailed link
///
/// A customer's account is made by their first sign-in (`user.is_new`). A link is good once. An unknown,
/// a used and an expired one are all answered 410.
#[utoipa::path(
    operation_id = "email_verify",
    post, path = "/api/auth/email/verify", tag = "auth", request_body = EmailVerify,
    responses(
        (status = 200, description = "Signed in.", body = ref("#/components/schemas/auth.Tokens")),
        (status = 403, description = "The link was right, and is used; `account_disabled`."),
        (status = 410, description = "`email_link_expired`: expired, used, or never there."),
        (status = 422, description = "`validation_failed`; the link is not used."),
    ),
)]
pub(crate) async fn verify(state: Arc<State>, mut req: Request) -> Reply {
    let body: EmailVerify = req.json().await?;
    let device = body.device.as_ref();
    let problems = device.map(Device::problems).unwrap_or_default();
    if !problems.is_empty() {
        return Err(Problem::invalid_fields(problems));
    }
    let token = Token::parse(&body.token).ok_or(EmailError::LinkExpired)?;
    let now = state.clock.now();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let email = store::claim(&tx, &token.hash(), now).await?;
    let email = email.ok_or(EmailError::LinkExpired)?;
    let outcome = state.sign_in.by_email(&tx, &email, device).await;
    // After a refusal as well: the link was right, so it is used.
    tx.commit().await?;
    let signed_in = outcome?;
    info!(user.id = %signed_in.user_id, is_new = signed_in.is_new, "signed in by email");
    Ok(signed_in.reply)
}
