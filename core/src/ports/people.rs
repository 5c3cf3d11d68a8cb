//! Who calls, and who people are.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::after_commit::AfterCommit;
use crate::pg::{DbError, Tx};
use crate::problem::{Coded, ErrorCode, codes};
use crate::timestamp::Timestamp;

/// A person's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Pays and asks for a chat.
    Customer,
    /// Listens.
    Mitra,
    /// Works in the control center.
    Admin,
}

impl Role {
    /// The name on the wire and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Mitra => "mitra",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Customer, Self::Mitra, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}

/// A role that we do not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown role")]
pub struct UnknownRole;

/// A signed-in caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The person.
    pub user_id: Uuid,
    /// What they are.
    pub role: Role,
    /// The sign-in session, the unit of revocation.
    pub session_id: Uuid,
    /// When the access token ends.
    pub expires_at: Timestamp,
}

/// Why a token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRejected {
    /// Missing, malformed, forged or for somebody else.
    #[error("access token is not valid")]
    Invalid,
    /// Past its `exp`.
    #[error("access token has expired")]
    Expired,
    /// Its session was revoked.
    #[error("sign-in session was revoked")]
    Revoked,
}

impl Coded for TokenRejected {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::Invalid | Self::Revoked => &codes::UNAUTHENTICATED,
            Self::Expired => &codes::TOKEN_EXPIRED,
        }
    }
}

/// Says who a token belongs to. No I/O: it is on every request's path.
pub trait Authenticator: Send + Sync {
    /// Checks an access token.
    ///
    /// # Errors
    /// Why it was refused.
    fn authenticate(&self, access_token: &str) -> Result<Principal, TokenRejected>;

    /// Whether a session has been revoked, as far as this process knows.
    fn is_revoked(&self, session_id: Uuid) -> bool;

    /// Sessions as they are revoked on any replica. A lagging receiver asks
    /// [`Authenticator::is_revoked`] about the sessions it holds.
    fn revocations(&self) -> broadcast::Receiver<Uuid>;
}

/// Knows which devices are signed in.
#[async_trait]
pub trait SignInSessions: Send + Sync {
    /// Those of these sign-in sessions that are neither revoked nor over, from Postgres: the truth,
    /// whatever the bus has lost. At most 1,000 ids a call.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn living(&self, session_ids: &[Uuid]) -> Result<HashSet<Uuid>, DbError>;
}

/// A person as others may see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: Uuid,
    /// What they are.
    pub role: Role,
    /// The name shown to others.
    pub display_name: String,
    /// `id` or `en`.
    pub language: String,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Whether the account is closed: `display_name` then says so, and there is nothing more to see of it.
    pub is_closed: bool,
}

/// Knows people by id.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The people with these ids; unknown ids are absent. At most 1,000 ids a call.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn people(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Person>, DbError>;

    /// Says in `tx` whether a person may sign in; `None` when there is no such account, or it is
    /// closed. Deactivating revokes all their sign-in sessions: on every replica once the returned is
    /// run, and within half a minute should it be dropped after the commit.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn set_active<'a>(
        &'a self,
        tx: &Tx<'_>,
        user_id: Uuid,
        is_active: bool,
    ) -> Result<Option<AfterCommit<'a>>, DbError>;
}
