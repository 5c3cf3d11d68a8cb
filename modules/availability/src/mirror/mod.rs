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

use std::collections::HashSet;
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

/// Some of those who are online.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnlinePage {
    /// They, in no order.
    pub mitras: Vec<Online>,
    /// The next page's cursor; none after the last.
    pub next: Option<u64>,
}

/// How many names belong into the mirror's lists. That of nobody has every name for a stray.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Everyone: each has a version and a limit.
    pub all: u64,
    /// Who is online.
    pub online: u64,
    /// Who may not work.
    pub deactivated: u64,
    /// Who is online, may work and is below the limit.
    pub free: u64,
}

impl Census {
    /// Counts these as well.
    pub fn add(&mut self, states: &[MitraState]) {
        for state in states {
            self.all += 1;
            self.online += u64::from(state.mitra.is_online);
            self.deactivated += u64::from(!state.mitra.is_active);
            self.free += u64::from(state.is_open());
        }
    }
}

/// Whether a name is that of a mitra.
pub type IsKnown<'a> = &'a (dyn Fn(&str) -> bool + Sync);

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

    /// Those of these states that are not shown just so, heartbeats included. It asks less of Valkey
    /// than showing them; whoever changes meanwhile may be among them or not.
    async fn differing(&self, states: Vec<MitraState>) -> Result<Vec<MitraState>, MirrorError>;

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

    /// Some of those who are online, from a cursor on; the first is 0. Whoever is online from the
    /// first page to the last is on one of them, or on two. Two round trips.
    async fn online_page(&self, cursor: u64) -> Result<OnlinePage, MirrorError>;

    /// Everyone who is online, page by page.
    async fn online(&self) -> Result<Vec<Online>, MirrorError> {
        let (mut online, mut cursor) = (Vec::new(), Some(0));
        while let Some(from) = cursor {
            let page = self.online_page(from).await?;
            online.extend(page.mitras);
            cursor = page.next;
        }
        Ok(online)
    }

    /// The beacon's answer, as somebody kept it.
    async fn snapshot(&self) -> Result<Option<Bytes>, MirrorError>;

    /// Keeps the beacon's answer for the cluster.
    async fn keep_snapshot(&self, answer: Bytes) -> Result<(), MirrorError>;

    /// Begins a seed: removes what cannot be part of a mirror, and leaves a canary.
    async fn begin_seed(&self, canary: Uuid) -> Result<(), MirrorError>;

    /// The names, ids or not, that nobody knows, in those of the mirror's lists that are not as long as
    /// they should be.
    async fn strays(
        &self,
        expected: &Census,
        is_known: IsKnown<'_>,
    ) -> Result<HashSet<String>, MirrorError>;

    /// Removes names and all that belongs to them.
    async fn remove(&self, members: &[String]) -> Result<(), MirrorError>;

    /// Ends a seed: from now on what is absent is so in Postgres. False when the canary is gone,
    /// and with it perhaps a part of what was seeded: begin anew.
    async fn end_seed(&self, canary: Uuid, now: Timestamp) -> Result<bool, MirrorError>;
}
