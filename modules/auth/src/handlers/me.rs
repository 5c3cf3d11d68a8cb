//! The caller's own account.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::Leaver;
use halobestie_core::problem::{FieldError, Problem};
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;

use crate::keys::Purpose;
use crate::state::State;
use crate::store::sessions::RevokeReason;
use crate::store::users::User;
use crate::store::{otps, sessions, users};
use crate::tokens::UserView;

const NAME_CHARS_MAX: usize = 50;

/// Show the caller's account
#[utoipa::path(
    operation_id = "auth_me_show",
    get, path = "/api/auth/me", tag = "auth", security(("bearer" = [])),
    responses(
        (status = 200, description = "The account.", body = UserView),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
    ),
)]
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let caller = req.caller()?;
    let user = users::open_by_id(&state.db, caller.user_id).await?;
    reply::ok(&UserView::new(user.ok_or_else(Problem::not_found)?, false))
}

/// A language that the product speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = auth::Language)]
pub(crate) enum Language {
    /// Indonesian.
    Id,
    /// English.
    En,
}

impl Language {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::En => "en",
        }
    }
}

/// Changes to the account; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = auth::ProfileChange)]
pub(crate) struct ProfileChange {
    /// 1 to 50 characters.
    display_name: Option<String>,
    language: Option<Language>,
}

/// Change the caller's name or language
#[utoipa::path(
    operation_id = "auth_me_update",
    patch, path = "/api/auth/me", tag = "auth", security(("bearer" = [])),
    request_body = ProfileChange,
    responses(
        (status = 200, description = "The account as it is now.", body = UserView),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
        (status = 403, description = "`forbidden`: an admin, whose account is an owner's business."),
        (status = 422, description = "`validation_failed`."),
    ),
)]
pub(crate) async fn update(state: Arc<State>, mut req: Request) -> Reply {
    let caller = req.caller()?;
    let change: ProfileChange = req.json().await?;
    let display_name = change.display_name.as_deref().map(name).transpose()?;
    let language = change.language.map(Language::as_str);
    let user = users::update_profile(&state.db, caller.user_id, display_name, language).await?;
    reply::ok(&UserView::new(user.ok_or_else(Problem::not_found)?, false))
}

fn name(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    let is_fine =
        (1..=NAME_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_fine {
        return Ok(text);
    }
    let message = format!("must be 1 to {NAME_CHARS_MAX} characters, without line breaks");
    Err(Problem::invalid_fields(vec![FieldError {
        field: "display_name".to_owned(),
        message,
    }]))
}

/// Close the caller's account
///
/// All sessions are revoked; phone, email, name, password, codes, links and what its devices said about
/// themselves are erased, all at once. What the account took part in stays, without them. The phone may
/// sign in again: as a new account.
#[utoipa::path(
    operation_id = "auth_me_close",
    delete, path = "/api/auth/me", tag = "auth", security(("bearer" = [])),
    responses(
        (status = 204, description = "Closed."),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
        (status = 403, description = "`forbidden`: an admin, whose account is an owner's business."),
    ),
)]
pub(crate) async fn close(state: Arc<State>, req: Request) -> Reply {
    let caller = req.caller()?;
    let now = state.clock.now();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let user = users::open_by_id(&tx, caller.user_id)
        .await?
        .ok_or_else(Problem::not_found)?;
    // In the order in which a sign-in locks: its code or link, then the account, which it holds while it
    // adds the session. So the two never wait for each other, and no session is missed.
    forget_contacts(&state, &tx, &user, now).await?;
    if !users::close(&tx, caller.user_id, now).await? {
        return Err(Problem::not_found());
    }
    let reason = RevokeReason::AccountClosed;
    let revoked = sessions::revoke_all(&tx, caller.user_id, reason, now).await?;
    sessions::forget_devices(&tx, caller.user_id).await?;
    tx.commit().await?;
    state.revocations.publish(&revoked);
    info!(user.id = %caller.user_id, sessions = revoked.len(), "account closed");
    reply::no_content()
}

/// Erases what is kept by the account's phone and email, here and in other modules.
async fn forget_contacts(
    state: &State,
    tx: &Tx<'_>,
    user: &User,
    now: Timestamp,
) -> Result<(), DbError> {
    let (phone, email) = (user.phone.as_deref(), user.email.as_deref());
    let user_id = user.id;
    let leaver = Leaver {
        user_id,
        phone,
        email,
    };
    state.erasures.run(tx, leaver).await?;
    if let Some(phone) = phone {
        let hash = state.keys.hash(Purpose::Contact, &[phone.as_bytes()]);
        otps::forget_phone(tx, &hash, now).await?;
    }
    Ok(())
}
