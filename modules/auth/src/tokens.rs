//! What a sign-in answers, and how one becomes a session.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, reply};
use halobestie_core::pg::Query;
use halobestie_core::ports::{Device, Role};
use halobestie_core::problem::Problem;
use http::header::{CACHE_CONTROL, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access_token::Subject;
use crate::refresh_token::{self, RefreshToken};
use crate::state::State;
use crate::store::sessions::{self, NewSession};
use crate::store::users::User;

/// The account of the caller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = auth::User)]
pub(crate) struct UserView {
    id: Uuid,
    role: Role,
    /// E.164. Absent for admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The name that others see.
    display_name: String,
    /// `id` or `en`.
    language: String,
    /// Whether this very sign-in made the account.
    is_new: bool,
}

impl UserView {
    /// An account as its owner sees it.
    pub(crate) fn new(user: User, is_new: bool) -> Self {
        let User {
            id,
            role,
            phone,
            email,
            display_name,
            language,
            ..
        } = user;
        Self {
            id,
            role,
            phone,
            email,
            display_name,
            language,
            is_new,
        }
    }
}

/// Signed in: send `access_token` as `Authorization: Bearer`, keep `refresh_token` for
/// `/api/auth/refresh`.
#[derive(Serialize, ToSchema)]
#[schema(as = auth::Tokens)]
pub(crate) struct Tokens {
    /// A JWT, HS256.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token ends.
    expires_in: u64,
    /// Opaque; replaced by each refresh.
    refresh_token: String,
    /// Seconds until the refresh token ends when nobody uses it.
    refresh_expires_in: u64,
    user: UserView,
}

impl Tokens {
    /// 200, and nothing on the way may keep it.
    pub(crate) fn reply(&self) -> Reply {
        let mut response = reply::ok(self)?;
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

/// A person and the refresh token that goes to them.
pub(crate) struct SignIn {
    pub(crate) user: User,
    pub(crate) is_new: bool,
    pub(crate) refresh_token: RefreshToken,
    pub(crate) refresh_life: Duration,
}

impl State {
    /// The tokens of somebody who has a session.
    pub(crate) fn tokens(&self, sign_in: SignIn, now: Timestamp) -> Result<Tokens, Problem> {
        let SignIn {
            user,
            is_new,
            refresh_token,
            refresh_life,
        } = sign_in;
        let session_id = refresh_token.session_id();
        let subject = Subject {
            user_id: user.id,
            role: user.role,
            session_id,
        };
        Ok(Tokens {
            access_token: self
                .access_tokens
                .sign(subject, now)
                .map_err(Problem::internal)?,
            token_type: "Bearer",
            expires_in: self.access_tokens.life().as_secs(),
            refresh_token: refresh_token.encode(),
            refresh_expires_in: refresh_life.as_secs(),
            user: UserView::new(user, is_new),
        })
    }

    /// Opens a session. The account must be held by the same transaction, so that whoever closes it
    /// finds the session.
    pub(crate) async fn open_session(
        &self,
        tx: &impl Query,
        user: User,
        is_new: bool,
        device: Option<&Device>,
        now: Timestamp,
    ) -> Result<Tokens, Problem> {
        let id = self.entropy.uuid(&self.clock);
        let refresh_token = RefreshToken::first(id, &self.entropy, &self.keys);
        let session = NewSession {
            id,
            user_id: user.id,
            role: user.role,
            refresh_hash: refresh_token.hash(),
            refresh_expires_at: now + refresh_token::LIFE,
            device,
        };
        sessions::insert(tx, &session, now).await?;
        let refresh_life = refresh_token::LIFE;
        self.tokens(
            SignIn {
                user,
                is_new,
                refresh_token,
                refresh_life,
            },
            now,
        )
    }
}
