//! Refreshing: a part of one statement when the living token is shown, a judgement when another is.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, Request};
use halobestie_core::problem::Problem;
use serde::Deserialize;
use tracing::info;
use utoipa::ToSchema;

use crate::error::AuthError;
use crate::refresh_token::{self, RefreshToken};
use crate::rotation::{Verdict, judge};
use crate::state::State;
use crate::store::sessions::{self, RevokeReason, Rotation};
use crate::tokens::{SignIn, Tokens};

/// Shows a refresh token.
#[derive(Deserialize, ToSchema)]
#[schema(as = auth::RefreshRequest)]
pub(crate) struct RefreshRequest {
    refresh_token: String,
}

/// Where a token is shown: each listener refreshes its own people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Customers and mitras.
    Public,
    /// Admins.
    Internal,
}

/// Get new tokens for a refresh token
///
/// The refresh token is replaced. The one just replaced is good once more for ten seconds, as long as
/// its successor has not been used, and gives the same successor again: a lost answer or two tabs sign
/// nobody out. Any other second use revokes the session.
#[utoipa::path(
    operation_id = "auth_refresh",
    post, path = "/api/auth/refresh", tag = "auth", request_body = RefreshRequest,
    responses(
        (status = 200, description = "New tokens.", body = Tokens),
        (status = 401, description = "`refresh_invalid`; or `refresh_reused`: the token was used \
            before, and the whole session is revoked."),
    ),
)]
pub(crate) async fn refresh(state: Arc<State>, req: Request) -> Reply {
    refresh_at(&state, req, Door::Public).await
}

/// What both listeners do.
pub(crate) async fn refresh_at(state: &State, mut req: Request, door: Door) -> Reply {
    let body: RefreshRequest = req.json().await?;
    let shown = RefreshToken::parse(&body.refresh_token).ok_or(AuthError::RefreshInvalid)?;
    let now = state.clock.now();
    let successor = shown.successor(&state.keys);
    let rotation = Rotation {
        session_id: shown.session_id(),
        shown: shown.hash(),
        successor: successor.hash(),
        for_admins: door == Door::Internal,
    };
    if let Some(user) = state.rotator.rotate(rotation).await? {
        let refresh_life = refresh_token::LIFE;
        let sign_in = SignIn {
            user,
            is_new: false,
            refresh_token: successor,
            refresh_life,
        };
        return state.tokens(sign_in, now)?.reply();
    }
    judge_shown(state, &shown, door, now).await?.reply()
}

/// The token was not the living one of a session that may go on: finds out what it is.
async fn judge_shown(
    state: &State,
    shown: &RefreshToken,
    door: Door,
    now: Timestamp,
) -> Result<Tokens, Problem> {
    let session_id = shown.session_id();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let held = sessions::hold_family(&tx, session_id, door == Door::Internal).await?;
    let (family, user) = held.ok_or(AuthError::RefreshInvalid)?;
    let (refusal, reason) = match judge(&family, shown, &state.keys, now, state.refresh_reuse) {
        Verdict::Reissue(refresh_token) => {
            sessions::count_previous_use(&tx, session_id, now).await?;
            tx.commit().await?;
            let refresh_life = family.refresh_expires_at.since(now);
            return state.tokens(
                SignIn {
                    user,
                    is_new: false,
                    refresh_token,
                    refresh_life,
                },
                now,
            );
        }
        Verdict::Invalid => return Err(AuthError::RefreshInvalid.into()),
        Verdict::Reused => (AuthError::RefreshReused, RevokeReason::RefreshReused),
        Verdict::Disabled => (AuthError::RefreshInvalid, RevokeReason::AccountDisabled),
    };
    sessions::revoke(&tx, session_id, user.id, reason, now).await?;
    tx.commit().await?;
    state.revocations.publish(&[session_id]);
    info!(user.id = %user.id, session.id = %session_id, reason = reason.as_str(), "session revoked");
    Err(refusal.into())
}
