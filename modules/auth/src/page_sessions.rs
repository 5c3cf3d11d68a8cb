//! Admins who are signed in: by an access token, or by the cookie of the control center's pages.
//!
//! A page session is a row of `auth_sessions` like any other, listed and revoked with them. Its token does
//! not rotate, because a page sends several requests at once; it lives in a cookie that no script reads,
//! and ends after half a day in which nobody used it, and after a week however it was used: what a page asks
//! for by itself is no use, so that a tab left open does not keep it. It is hashed in a form of its own, so that it is no
//! refresh token, and no refresh token is one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use halobestie_core::audit::Actor;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{
    AdminError, AdminSessions, PageSession, PasswordChange, PasswordHash, Principal, Role,
    SignedAdmin,
};
use halobestie_core::problem::{Coded, Problem};
use halobestie_core::{AfterCommit, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tracing::info;
use uuid::Uuid;

use crate::admin_login;
use crate::admins::hash as hash_password;
use crate::error::AuthError;
use crate::keys::Hash;
use crate::refresh_token::RefreshToken;
use crate::state::State;
use crate::store::admins;
use crate::store::page_sessions::{self as store, Used};
use crate::store::sessions::{self, NewSession, RevokeReason};

/// How long a page session lives that nobody uses.
const LIFE: Duration = Duration::from_secs(12 * 3600);
/// How long one lives at most.
const LIFE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
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
        let (state, now) = (&self.0, self.0.clock.now());
        let Some((admin, used)) = self.find(token, now).await? else {
            return Ok(None);
        };
        if now.since(used.last) >= TOUCH_EVERY {
            let until = (now + LIFE).min(used.first + LIFE_MAX);
            store::touch(&state.db, admin.session_id, now, until).await?;
        }
        Ok(Some(admin))
    }

    async fn living(&self, token: &str) -> Result<Option<SignedAdmin>, DbError> {
        let found = self.find(token, self.0.clock.now()).await?;
        Ok(found.map(|(admin, _)| admin))
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

    async fn check_password(
        &self,
        admin: &SignedAdmin,
        (current, new): (SecretString, SecretString),
        address: IpAddr,
    ) -> Result<PasswordChange, Problem> {
        let state = &self.0;
        let account = admins::find(&state.db, admin.actor.id).await?;
        let account = account.ok_or(AuthError::InvalidCredentials)?;
        let right = admin_login::check(state, &account.email, current, address).await;
        let right = right.map_err(of_current)?;
        let mut client = state.db.client().await?;
        let tx = client.begin().await?;
        right.take_back(state, &tx).await?;
        tx.commit().await?;
        drop(client);
        let after = hash_password(state, new).await.map_err(of_new)?;
        Ok(PasswordChange {
            before: right.kept().into(),
            after: PasswordHash(after.into()),
        })
    }

    async fn change_password<'a>(
        &'a self,
        tx: &Tx<'_>,
        admin: &SignedAdmin,
        change: &PasswordChange,
    ) -> Result<AfterCommit<'a>, Problem> {
        let (state, now) = (&self.0, self.0.clock.now());
        let (user_id, session_id) = (admin.actor.id, admin.session_id);
        let (before, after) = (change.before.expose_secret(), &change.after.0);
        // The account first: a sign-in holds it, with its old password, while it adds its session.
        if !admins::replace_hash(tx, user_id, before, after.expose_secret()).await? {
            return Err(of_current(AuthError::InvalidCredentials.into()));
        }
        let reason = RevokeReason::PasswordReset;
        let revoked = sessions::revoke_others(tx, user_id, session_id, reason, now).await?;
        Ok(AfterCommit::new(async move {
            state.revocations.publish(&revoked);
            info!(user.id = %user_id, sessions = revoked.len(), "admin changed the password");
        }))
    }
}

/// Not `invalid_credentials`: whoever asks is signed in, and should stay so.
fn of_current(problem: Problem) -> Problem {
    if problem.code() == AuthError::InvalidCredentials.code() {
        return Problem::invalid("current", "is not your password");
    }
    problem
}

fn of_new(error: AdminError) -> Problem {
    match error {
        AdminError::BadPassword => Problem::invalid("new", error.to_string()),
        AdminError::Db(error) => error.into(),
        other => Problem::internal(other),
    }
}

impl SignedAdmins {
    /// The admin of a cookie, and the session's use.
    async fn find(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<(SignedAdmin, Used)>, DbError> {
        match RefreshToken::parse(token) {
            Some(token) => store::by_hash(&self.0.db, token.session_id(), &hash(&token), now).await,
            None => Ok(None),
        }
    }

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
