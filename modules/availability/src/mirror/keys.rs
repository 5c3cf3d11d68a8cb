//! The names of the mirror's keys, with the client's prefix before them. What each is worth is in the
//! README.

use halobestie_core::valkey::Valkey;
use uuid::Uuid;

/// The keys.
pub(super) struct Keys {
    pub(super) online: String,
    pub(super) deactivated: String,
    pub(super) free: String,
    pub(super) max_sessions: String,
    pub(super) version: String,
    pub(super) seeded_at: String,
    pub(super) snapshot: String,
    capacity: String,
    heartbeat: String,
    seeding: String,
}

impl Keys {
    pub(super) fn new(valkey: &Valkey) -> Self {
        Self {
            online: valkey.key("mitras:online"),
            deactivated: valkey.key("mitras:deactivated"),
            free: valkey.key("mitras:free"),
            max_sessions: valkey.key("mitras:max_sessions"),
            version: valkey.key("mitras:version"),
            seeded_at: valkey.key("mitras:seeded_at"),
            snapshot: valkey.key("availability:snapshot"),
            capacity: valkey.key("mitra:capacity:"),
            heartbeat: valkey.key("mitra:heartbeat:"),
            seeding: valkey.key("mitras:seeding:"),
        }
    }

    /// The keys that the scripts rely on, with their types.
    pub(super) fn typed(&self) -> [(&String, &'static str); 6] {
        [
            (&self.online, "set"),
            (&self.deactivated, "set"),
            (&self.free, "zset"),
            (&self.max_sessions, "hash"),
            (&self.version, "hash"),
            (&self.seeded_at, "string"),
        ]
    }

    /// Open sessions of a mitra.
    pub(super) fn capacity(&self, member: &str) -> String {
        format!("{}{member}", self.capacity)
    }

    /// The last heartbeat of a mitra.
    pub(super) fn heartbeat(&self, member: &str) -> String {
        format!("{}{member}", self.heartbeat)
    }

    /// What a running seed leaves to see whether Valkey was emptied under it.
    pub(super) fn canary(&self, seed: Uuid) -> String {
        format!("{}{seed}", self.seeding)
    }
}
