//! Who can be asked, and how busy they are.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::after_commit::AfterCommit;
use crate::pg::{DbError, Tx};
use crate::timestamp::Timestamp;

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

/// How many mitras are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MitraCounts {
    /// Online, by their own switch.
    pub online: u64,
    /// Reachable, and below their capacity.
    pub available: u64,
}

/// Whether a mitra can be asked, and otherwise why not: the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// May not work.
    Deactivated,
    /// Not online, by their own switch.
    Offline,
    /// Online, and not heard from for too long.
    Silent,
    /// As many sessions as they may have.
    Full,
    /// Can be asked.
    Available,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Available,
        Self::Full,
        Self::Silent,
        Self::Offline,
        Self::Deactivated,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Offline => "offline",
            Self::Silent => "silent",
            Self::Full => "full",
            Self::Available => "available",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// A mitra as far as availability goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MitraStanding {
    /// Whether they can be asked, and otherwise why not.
    pub standing: Standing,
    /// The mitra's own switch.
    pub is_online: bool,
    /// Whether the mitra may work at all.
    pub is_active: bool,
    /// How many sessions at once.
    pub max_sessions: i32,
    /// How many they have.
    pub in_use: u32,
    /// The last sign of life that anybody knows of.
    pub last_heartbeat_at: Option<Timestamp>,
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

    /// Those of these mitras that are offline or may not work, from Postgres: the truth, whatever the
    /// mirror or the bus has lost. One that is merely silent is taken offline by a sweep.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn absent(&self, mitra_ids: &[Uuid]) -> Result<Vec<Uuid>, DbError>;

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

    /// How many are online and how many of them can be asked.
    ///
    /// # Errors
    /// When neither Valkey nor Postgres answers.
    async fn counts(&self) -> Result<MitraCounts, DbError>;

    /// How these mitras stand. Those without a row, because they were never online, are there as well: by
    /// the defaults. At most 1,000 a call.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn standings(&self, mitra_ids: &[Uuid]) -> Result<HashMap<Uuid, MitraStanding>, DbError>;

    /// Every mitra that stands so. Those who were never online are not among the offline.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn standing_so(&self, standing: Standing) -> Result<Vec<Uuid>, DbError>;

    /// Since when these mitras have been online, from Postgres; those who are not are absent.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn online_since(&self, mitra_ids: &[Uuid]) -> Result<HashMap<Uuid, Timestamp>, DbError>;

    /// The mitras that may not work and were changed after `since`, from Postgres: whoever has missed
    /// an [`AvailabilityChanged`] finds here whom it was about. At most 1,000, the latest.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn deactivated_since(&self, since: Timestamp) -> Result<Vec<Uuid>, DbError>;

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
