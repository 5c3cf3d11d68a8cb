//! The small traits at which modules meet. Core owns them and knows no implementation.
//!
//! A module that provides a capability sets its port in `build`; one that needs it reads it there.
//! `NEEDS` and `PROVIDES` say so as constants, and assembly checks that they do not lie. A fact that
//! an earlier module wants from a later one travels through a [`Late`] handle, filled by assembly's
//! end; an empty one means that nobody provides it.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::after_commit::AfterCommit;
use crate::pg::{DbError, Tx};
use crate::problem::{Coded, ErrorCode, codes};
use crate::timestamp::Timestamp;

/// What a module can promise to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// [`Authenticator`]
    Authenticator,
    /// [`Directory`]
    Directory,
    /// [`Availability`]
    Availability,
    /// [`SessionLoad`]
    SessionLoad,
}

impl fmt::Display for Capability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Authenticator => "authenticator",
            Self::Directory => "directory",
            Self::Availability => "availability",
            Self::SessionLoad => "session_load",
        })
    }
}

/// A handle that is empty while modules are built and filled before anything runs.
pub struct Late<T: ?Sized>(Arc<OnceLock<Arc<T>>>);

impl<T: ?Sized> Late<T> {
    /// The port, or `None` where no enabled module provides it.
    pub fn get(&self) -> Option<&Arc<T>> {
        self.0.get()
    }

    /// Fills the handle; the first filling stays.
    pub fn fill(&self, port: Arc<T>) {
        // A second provider is refused by assembly; nothing to do about it here.
        let _ = self.0.set(port);
    }
}

impl<T: ?Sized> Clone for Late<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Default for Late<T> {
    fn default() -> Self {
        Self(Arc::new(OnceLock::new()))
    }
}

/// Every contract between modules, each provided at most once.
#[derive(Clone, Default)]
pub struct Ports {
    /// Who calls.
    pub authenticator: Late<dyn Authenticator>,
    /// Names of people.
    pub directory: Late<dyn Directory>,
    /// Who is available.
    pub availability: Late<dyn Availability>,
    /// How busy mitras are.
    pub session_load: Late<dyn SessionLoad>,
}

impl Ports {
    /// Whether an enabled module has set this port.
    pub fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::Authenticator => self.authenticator.get().is_some(),
            Capability::Directory => self.directory.get().is_some(),
            Capability::Availability => self.availability.get().is_some(),
            Capability::SessionLoad => self.session_load.get().is_some(),
        }
    }
}

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

/// A mitra's seat, locked for the length of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// How many sessions at once.
    pub max_sessions: i32,
    /// The mitra's own switch.
    pub is_online: bool,
    /// Whether the mitra may work at all.
    pub is_active: bool,
}

/// What a heartbeat answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Heartbeat {
    /// Whether the mitra is online; a heartbeat never changes it.
    pub online: bool,
    /// When to send the next one.
    pub next_heartbeat_seconds: u64,
}

/// Why a heartbeat was not taken.
#[derive(Debug, thiserror::Error)]
pub enum HeartbeatError {
    /// The mitra may not work.
    #[error("mitra is deactivated")]
    Deactivated,
    /// Neither Valkey nor Postgres could say.
    #[error("cannot check the mitra")]
    Db(#[from] DbError),
}

/// The bus topic of [`AvailabilityChanged`], as JSON.
pub const AVAILABILITY_CHANGED: &str = "availability.changed";

/// A mitra has come, gone, or is ruled otherwise. Told once it is committed and shown, so who hears of
/// it finds it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailabilityChanged {
    /// Who.
    pub mitra_id: Uuid,
    /// The mitra's own switch.
    pub online: bool,
    /// Whether the mitra may work at all.
    pub active: bool,
}

/// Knows which mitras can be asked.
#[async_trait]
pub trait Availability: Send + Sync {
    /// Whether one mitra is online, active and heard from lately.
    ///
    /// # Errors
    /// When neither Valkey nor Postgres answers.
    async fn reachable(&self, mitra_id: Uuid) -> Result<bool, DbError>;

    /// Every mitra that is reachable and below its capacity.
    ///
    /// # Errors
    /// When neither Valkey nor Postgres answers.
    async fn find_available(&self) -> Result<Vec<Uuid>, DbError>;

    /// How many there are.
    ///
    /// # Errors
    /// When neither Valkey nor Postgres answers.
    async fn count_available(&self) -> Result<u64, DbError>;

    /// Locks a mitra's row until `tx` ends, so that two accepts of one mitra follow each other and the
    /// capacity that is read holds. `None` for a mitra that was never online.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn lock_seat(&self, tx: &Tx<'_>, mitra_id: Uuid) -> Result<Option<Seat>, DbError>;

    /// To be called after the commit of anything that changed how many open sessions a mitra has:
    /// recomputes the mirrored capacity from Postgres. Best effort, never fails.
    async fn load_changed(&self, mitra_id: Uuid);

    /// Says in `tx` whether a mitra may work; a deactivated one is offline as well, and stays so when
    /// it is activated again until it goes online. Once the returned is run, the mirror shows it and
    /// [`AVAILABILITY_CHANGED`] tells it; should it be dropped after the commit, a reseed shows it.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn set_active<'a>(
        &'a self,
        tx: &Tx<'_>,
        mitra_id: Uuid,
        is_active: bool,
    ) -> Result<AfterCommit<'a>, DbError>;

    /// Says in `tx` how many sessions a mitra may have at once; 0 means none. Sessions above a lowered
    /// limit go on. Shown and told as by [`Availability::set_active`].
    ///
    /// # Errors
    /// When Postgres does not answer, or the limit is negative.
    async fn set_max_sessions<'a>(
        &'a self,
        tx: &Tx<'_>,
        mitra_id: Uuid,
        max_sessions: i32,
    ) -> Result<AfterCommit<'a>, DbError>;

    /// A sign of life of a mitra, from HTTP or a socket.
    ///
    /// # Errors
    /// When the mitra is deactivated, or nothing can say whether it is.
    async fn heartbeat(&self, mitra_id: Uuid) -> Result<Heartbeat, HeartbeatError>;
}

/// Knows how busy mitras are. Counts the sessions in `active`, `pending_payment` and `rerouting`.
#[async_trait]
pub trait SessionLoad: Send + Sync {
    /// Open sessions of these mitras, from Postgres; absent means none.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn open_sessions(&self, mitra_ids: &[Uuid]) -> Result<HashMap<Uuid, u32>, DbError>;

    /// Open sessions of every mitra that has any, from Postgres.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn all_open_sessions(&self) -> Result<HashMap<Uuid, u32>, DbError>;
}
