//! What other modules get from this one: who calls, and what people are called.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::{Authenticator, Directory, Person, Principal, TokenRejected};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::state::State;
use crate::store;
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
pub(crate) struct People(pub(crate) Db);

#[async_trait]
impl Directory for People {
    async fn people(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Person>, DbError> {
        let users = store::users::by_ids(&self.0, ids).await?;
        Ok(users
            .into_iter()
            .map(|user| (user.id, person(user)))
            .collect())
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
        ..
    } = user;
    Person {
        id,
        role,
        display_name,
        language,
        is_active,
    }
}
