//! The mirror: what Valkey shows of Postgres, so that the hot paths need no statement.
//!
//! [`Mirror`] is the port, [`ValkeyMirror`] the real one, [`MemoryMirror`] its twin for runs without
//! Valkey; one suite holds both to the same behaviour. The invariant: a mirror never shows an older
//! state of a mitra over a newer one, in whatever order writers arrive, because each state carries
//! its row's version.

mod columns;
mod keys;
mod memory;
mod trusted;
mod valkey;

use std::ops::AddAssign;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use halobestie_core::Timestamp;
use halobestie_core::valkey::ValkeyError;
use uuid::Uuid;

use crate::mitra::MitraState;

pub use memory::MemoryMirror;
pub use trusted::TrustedMirror;
pub use valkey::ValkeyMirror;

/// How long the cluster shares the beacon's answer.
pub const SNAPSHOT_LIFE: Duration = Duration::from_secs(10);

/// Why the mirror did not answer. Postgres is asked instead.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// It was emptied, or never filled: what it lacks means nothing.
    #[error("the mirror is not seeded")]
    NotSeeded,
    /// A part of it is missing or is not what it must be.
    #[error("the mirror is damaged: {0}")]
    Damaged(&'static str),
    /// Valkey did not answer.
    #[error("cannot ask valkey")]
    Valkey(#[from] ValkeyError),
}

impl MirrorError {
    /// Whether Valkey is away, which its next connect heals, as against a fault in what it holds,
    /// which only a reseed does.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Valkey(error) if error.is_away())
    }
}

/// What to do about a state that the mirror believes to be newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// Leave it.
    Newest,
    /// Replace it: Postgres went back in time (a restored backup), and Postgres is the truth.
    Postgres,
}

/// What came of showing states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many mitras the mirror had shown differently.
    pub differing: u64,
    /// Whether any mitra became one to be asked, or ceased to be; the snapshot is gone then.
    pub flipped: bool,
    /// Mitras of which the mirror has a newer version, with that version.
    pub ahead: Vec<(Uuid, i64)>,
}

impl AddAssign for Applied {
    fn add_assign(&mut self, other: Self) {
        self.differing += other.differing;
        self.flipped |= other.flipped;
        self.ahead.extend(other.ahead);
    }
}

/// What came of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    /// Kept.
    Online,
    /// Not kept: the mitra is offline, or unknown.
    Offline,
    /// Not kept: the mitra may not work.
    Deactivated,
}

/// One mitra, as the mirror shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Whether it is among the online.
    pub is_online: bool,
    /// Whether it is among the deactivated.
    pub is_deactivated: bool,
    /// Its last heartbeat.
    pub heard_at: Option<Timestamp>,
}

/// A mitra that is online, deactivated or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Online {
    /// Who.
    pub mitra_id: Uuid,
    /// The version of the row that the mirror shows.
    pub version: i64,
    /// Its last heartbeat.
    pub heard_at: Option<Timestamp>,
}

/// A mirror of availability.
#[async_trait]
pub trait Mirror: Send + Sync {
    /// Shows states. A mitra that is online and active and has no heartbeat gets one of `now`: it was
    /// lost, not missed.
    async fn apply(
        &self,
        states: &[MitraState],
        precedence: Precedence,
        now: Timestamp,
    ) -> Result<Applied, MirrorError>;

    /// Keeps a heartbeat of a mitra that is online, and removes that of any other. One round trip.
    async fn heartbeat(&self, mitra_id: Uuid, now: Timestamp) -> Result<Pulse, MirrorError>;

    /// Looks at one mitra. One round trip.
    async fn sighting(&self, mitra_id: Uuid) -> Result<Sighting, MirrorError>;

    /// Everyone who is online, not deactivated, below the limit and heard from after `stale_at`. Two
    /// round trips at most, however many there are.
    async fn available(&self, stale_at: Timestamp) -> Result<Vec<Uuid>, MirrorError>;

    /// How many [`Mirror::available`] would give. Two round trips at most, and no work that grows with
    /// the answer.
    async fn count_available(&self, stale_at: Timestamp) -> Result<u64, MirrorError>;

    /// Everyone who is online. A round trip for the names, and one for every ten thousand of them.
    async fn online(&self) -> Result<Vec<Online>, MirrorError>;

    /// The beacon's answer, as somebody kept it.
    async fn snapshot(&self) -> Result<Option<Bytes>, MirrorError>;

    /// Keeps the beacon's answer for the cluster.
    async fn keep_snapshot(&self, answer: Bytes) -> Result<(), MirrorError>;

    /// Begins a seed: removes what cannot be part of a mirror, and leaves a canary.
    async fn begin_seed(&self, canary: Uuid) -> Result<(), MirrorError>;

    /// Every name in the mirror's lists, ids or not.
    async fn members(&self) -> Result<Vec<String>, MirrorError>;

    /// Removes names and all that belongs to them.
    async fn remove(&self, members: &[String]) -> Result<(), MirrorError>;

    /// Ends a seed: from now on what is absent is so in Postgres. False when the canary is gone,
    /// and with it perhaps a part of what was seeded: begin anew.
    async fn end_seed(&self, canary: Uuid, now: Timestamp) -> Result<bool, MirrorError>;
}
