//! A mitra as this module knows it: a row of Postgres, and the row with its load.

use halobestie_core::Timestamp;
use uuid::Uuid;

/// A row of `mitras`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mitra {
    /// The mitra's user id.
    pub id: Uuid,
    /// The mitra's own switch.
    pub is_online: bool,
    /// Whether the mitra may work at all.
    pub is_active: bool,
    /// Sessions at once.
    pub max_sessions: i32,
    /// The last heartbeat that Postgres knows of; the mirror may know a newer one.
    pub last_heartbeat_at: Option<Timestamp>,
    /// Grows with every change that the mirror shows.
    pub version: i64,
}

/// All that the mirror shows of a mitra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MitraState {
    /// The row.
    pub mitra: Mitra,
    /// Open sessions, counted after the row was read.
    pub in_use: u32,
}

impl MitraState {
    /// Whether the mitra is to be asked while it is heard from.
    pub fn is_open(&self) -> bool {
        self.has_heartbeat() && i64::from(self.in_use) < i64::from(self.mitra.max_sessions)
    }

    /// Whether heartbeats of the mitra are kept.
    pub fn has_heartbeat(&self) -> bool {
        self.mitra.is_online && self.mitra.is_active
    }
}
