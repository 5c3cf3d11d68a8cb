//! Admins who are signed in: by an access token, or by the cookie of the control center's pages.
//!
//! A page session is a row of `auth_sessions` like any other, listed and revoked with them. Its token does
//! not rotate, because a page sends several requests at once; it lives in a cookie that no script reads,
//! and ends after half a day in which nobody used it. It is hashed in a form of its own, so that it is no
//! refresh token, and no refresh token is one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use halobestie_core::Timestamp;
use halobestie_core::audit::Actor;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{AdminSessions, PageSession, Principal, Role, SignedAdmin};
use halobestie_core::problem::Problem;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::admin_login;
use crate::keys::Hash;
use crate::refresh_token::RefreshToken;
use crate::state::State;
use crate::store::admins;
use crate::store::page_sessions as store;
use crate::store::sessions::{self, NewSession, RevokeReason};

/// How long a page session lives that nobody uses.
const LIFE: Duration = Duration::from_secs(12 * 3600);
/// Its use is written down at most this often.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// Knows the admins who are signed in.
pub(crate) struct SignedAdmins(pub(crate) Arc<State>);

#[async_trait]
impl AdminSessions for SignedAdmins {
    async fn by_token(&self, principal: &Principal) -> Result<Option<SignedAdmin>, DbError> {
        store::by_id(&self.0.db, principal.session_id, principal.user_id).await
    }

    async fn by_cookie(&self, token: &str) -> Result<Option<SignedAdmin>, DbError> {
        let Some(token) = RefreshToken::parse(token) else {
            return Ok(None);
        };
        let (state, now) = (&self.0, self.0.clock.now());
        let found = store::by_hash(&state.db, token.session_id(), &hash(&token), now).await?;
        let Some((admin, last_used_at)) = found else {
            return Ok(None);
        };
        if now.since(last_used_at) >= TOUCH_EVERY {
            store::touch(&state.db, admin.session_id, now, now + LIFE).await?;
        }
        Ok(Some(admin))
    }

    async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
        address: IpAddr,
    ) -> Result<PageSession, Problem> {
        let state = &self.0;
        let right = admin_login::check(state, email, password.clone(), address).await?;
        let mut client = state.db.client().await?;
        let tx = client.begin().await?;
        let user = right.hold(&tx).await?;
        let session = self.open(&tx, user.id, state.clock.now()).await?;
        right.commit(state, tx).await?;
        right.renew_hash(state, password).await;
        Ok(session)
    }

    async fn sign_out(&self, admin: &SignedAdmin) -> Result<(), DbError> {
        let (state, now) = (&self.0, self.0.clock.now());
        let (session_id, user_id) = (admin.session_id, admin.actor.id);
        if sessions::revoke(&state.db, session_id, user_id, RevokeReason::Logout, now).await? {
            state.revocations.publish(&[session_id]);
        }
        Ok(())
    }
}

impl SignedAdmins {
    async fn open(
        &self,
        tx: &Tx<'_>,
        user_id: Uuid,
        now: Timestamp,
    ) -> Result<PageSession, Problem> {
        let state = &self.0;
        let id = state.entropy.uuid(&state.clock);
        let token = RefreshToken::first(id, &state.entropy, &state.keys);
        let session = NewSession {
            id,
            user_id,
            role: Role::Admin,
            refresh_hash: hash(&token),
            refresh_expires_at: now + LIFE,
            device: None,
        };
        sessions::insert(tx, &session, now).await?;
        let admin = admins::find(tx, user_id).await?;
        let admin = admin.ok_or(DbError::Content("a held account vanished"))?;
        Ok(PageSession {
            token: token.encode().into(),
            life: LIFE,
            admin: SignedAdmin {
                actor: Actor {
                    id: user_id,
                    display_name: admin.display_name,
                },
                role: admin.role,
                session_id: id,
            },
        })
    }
}

/// What is stored of a page session's token.
fn hash(token: &RefreshToken) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"halobestie auth page session 1");
    hash.update(token.hash());
    hash.finalize().into()
}
