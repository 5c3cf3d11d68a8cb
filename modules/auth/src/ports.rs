//! What other modules get from this one: who calls, what people are called, and the switch that lets
//! them sign in.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::AfterCommit;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{
    Authenticator, Directory, Person, Principal, SignInSessions, TokenRejected,
};
use tokio::sync::broadcast;
use tracing::info;
use uuid::Uuid;

use crate::state::State;
use crate::store;
use crate::store::sessions::RevokeReason;
use crate::store::users::User;

/// What a closed account is called.
const CLOSED_NAME: &str = "Akun ditutup";

/// Checks access tokens, from memory alone.
pub(crate) struct Tokens(pub(crate) Arc<State>);

impl Authenticator for Tokens {
    fn authenticate(&self, access_token: &str) -> Result<Principal, TokenRejected> {
        let principal = self
            .0
            .access_tokens
            .verify(access_token, self.0.clock.now())?;
        if self.is_revoked(principal.session_id) {
            return Err(TokenRejected::Revoked);
        }
        Ok(principal)
    }

    fn is_revoked(&self, session_id: Uuid) -> bool {
        self.0.revocations.contains(session_id)
    }

    fn revocations(&self) -> broadcast::Receiver<Uuid> {
        self.0.revocations.listen()
    }
}

/// Knows people from `users`.
pub(crate) struct People(pub(crate) Arc<State>);

#[async_trait]
impl Directory for People {
    async fn people(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Person>, DbError> {
        let users = store::users::by_ids(&self.0.db, ids).await?;
        Ok(users
            .into_iter()
            .map(|user| (user.id, person(user)))
            .collect())
    }

    async fn set_active<'a>(
        &'a self,
        tx: &Tx<'_>,
        user_id: Uuid,
        is_active: bool,
    ) -> Result<Option<AfterCommit<'a>>, DbError> {
        // The account first: a sign-in holds it while it adds its session, so none is missed.
        if !store::users::set_active(tx, user_id, is_active).await? {
            return Ok(None);
        }
        let revoked = if is_active {
            Vec::new()
        } else {
            let (reason, now) = (RevokeReason::AccountDisabled, self.0.clock.now());
            store::sessions::revoke_all(tx, user_id, reason, now).await?
        };
        Ok(Some(AfterCommit::new(async move {
            self.0.revocations.publish(&revoked);
            info!(user.id = %user_id, is_active, sessions = revoked.len(), "account switched");
        })))
    }
}

/// Knows sign-in sessions from `auth_sessions`.
pub(crate) struct SessionBook(pub(crate) Arc<State>);

#[async_trait]
impl SignInSessions for SessionBook {
    async fn living(&self, session_ids: &[Uuid]) -> Result<HashSet<Uuid>, DbError> {
        let living = store::sessions::living(&self.0.db, session_ids, self.0.clock.now());
        Ok(living.await?.into_iter().collect())
    }
}

fn person(user: User) -> Person {
    let display_name = if user.is_closed {
        CLOSED_NAME.to_owned()
    } else {
        user.display_name
    };
    let User {
        id,
        role,
        language,
        is_active,
        is_closed,
        ..
    } = user;
    Person {
        id,
        role,
        display_name,
        language,
        is_active,
        is_closed,
    }
}
