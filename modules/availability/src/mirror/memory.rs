//! The mirror's twin for runs without Valkey: one process, the same behaviour.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use halobestie_core::Timestamp;
use uuid::Uuid;

use super::{
    Applied, Census, IsKnown, Mirror, MirrorError, Online, OnlinePage, Precedence, Pulse, Sighting,
};
use crate::mitra::MitraState;

/// The mirror in memory.
#[derive(Default)]
pub struct MemoryMirror {
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    is_seeded: bool,
    mitras: HashMap<Uuid, Entry>,
    snapshot: Option<Bytes>,
}

/// A mitra as it is shown.
struct Entry {
    state: MitraState,
    heard_at: Option<Timestamp>,
}

impl MemoryMirror {
    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seeded(&self) -> Result<MutexGuard<'_, Shown>, MirrorError> {
        let shown = self.shown();
        if shown.is_seeded {
            Ok(shown)
        } else {
            Err(MirrorError::NotSeeded)
        }
    }
}

impl Entry {
    fn is_just(&self, state: &MitraState) -> bool {
        self.state.mitra.version == state.mitra.version
            && shows_the_same(&self.state, state)
            && self.heard_at.is_some() == state.has_heartbeat()
            && (!state.has_heartbeat() || self.heard_at >= state.mitra.last_heartbeat_at)
    }
}

impl Shown {
    fn show(&mut self, state: &MitraState, now: Timestamp) -> Applied {
        let old = self.mitras.remove(&state.mitra.id);
        let last = old.as_ref().and_then(|old| old.heard_at);
        let heard_at = last.max(state.mitra.last_heartbeat_at.filter(|_| last.is_some()));
        let heard_at = state.has_heartbeat().then(|| heard_at.unwrap_or(now));
        let was_open = old.as_ref().is_some_and(|old| old.state.is_open());
        let flipped = was_open != state.is_open();
        if flipped {
            self.snapshot = None;
        }
        let differs = old.is_none_or(|old| !shows_the_same(&old.state, state));
        self.mitras.insert(
            state.mitra.id,
            Entry {
                state: state.clone(),
                heard_at,
            },
        );
        Applied {
            differing: u64::from(differs),
            flipped,
            ahead: Vec::new(),
        }
    }

    fn online(&self) -> impl Iterator<Item = &Entry> {
        self.mitras
            .values()
            .filter(|entry| entry.state.mitra.is_online)
    }

    fn available(&self, stale_at: Timestamp) -> impl Iterator<Item = &Entry> {
        self.mitras.values().filter(move |entry| {
            entry.state.is_open() && entry.heard_at.is_some_and(|heard| heard > stale_at)
        })
    }
}

fn shows_the_same(one: &MitraState, other: &MitraState) -> bool {
    let shown = |it: &MitraState| {
        (
            it.mitra.is_online,
            it.mitra.is_active,
            it.mitra.max_sessions,
            it.in_use,
        )
    };
    shown(one) == shown(other)
}

#[async_trait]
impl Mirror for MemoryMirror {
    async fn apply(
        &self,
        states: &[MitraState],
        precedence: Precedence,
        now: Timestamp,
    ) -> Result<Applied, MirrorError> {
        let mut shown = self.shown();
        let mut applied = Applied::default();
        for state in states {
            let version = shown
                .mitras
                .get(&state.mitra.id)
                .map_or(0, |old| old.state.mitra.version);
            if precedence == Precedence::Newest && version > state.mitra.version {
                applied.ahead.push((state.mitra.id, version));
            } else {
                applied += shown.show(state, now);
            }
        }
        Ok(applied)
    }

    async fn differing(&self, states: Vec<MitraState>) -> Result<Vec<MitraState>, MirrorError> {
        let shown = self.shown();
        let differs = |state: &MitraState| {
            let entry = shown.mitras.get(&state.mitra.id);
            entry.is_none_or(|entry| !entry.is_just(state))
        };
        Ok(states.into_iter().filter(differs).collect())
    }

    async fn heartbeat(&self, mitra_id: Uuid, now: Timestamp) -> Result<Pulse, MirrorError> {
        let mut shown = self.seeded()?;
        let Some(entry) = shown.mitras.get_mut(&mitra_id) else {
            return Ok(Pulse::Offline);
        };
        if !entry.state.mitra.is_active {
            return Ok(Pulse::Deactivated);
        }
        if !entry.state.mitra.is_online {
            return Ok(Pulse::Offline);
        }
        entry.heard_at = Some(now);
        Ok(Pulse::Online)
    }

    async fn sighting(&self, mitra_id: Uuid) -> Result<Sighting, MirrorError> {
        let shown = self.seeded()?;
        let entry = shown.mitras.get(&mitra_id);
        Ok(Sighting {
            is_online: entry.is_some_and(|entry| entry.state.mitra.is_online),
            is_deactivated: entry.is_some_and(|entry| !entry.state.mitra.is_active),
            heard_at: entry.and_then(|entry| entry.heard_at),
        })
    }

    async fn available(&self, stale_at: Timestamp) -> Result<Vec<Uuid>, MirrorError> {
        let shown = self.seeded()?;
        let available = shown.available(stale_at);
        Ok(available.map(|entry| entry.state.mitra.id).collect())
    }

    async fn count_available(&self, stale_at: Timestamp) -> Result<u64, MirrorError> {
        let count = self.seeded()?.available(stale_at).count();
        Ok(count.try_into().unwrap_or(u64::MAX))
    }

    async fn online_page(&self, _cursor: u64) -> Result<OnlinePage, MirrorError> {
        let online = |entry: &Entry| Online {
            mitra_id: entry.state.mitra.id,
            version: entry.state.mitra.version,
            heard_at: entry.heard_at,
        };
        Ok(OnlinePage {
            mitras: self.seeded()?.online().map(online).collect(),
            next: None,
        })
    }

    async fn snapshot(&self) -> Result<Option<Bytes>, MirrorError> {
        Ok(self.shown().snapshot.clone())
    }

    async fn keep_snapshot(&self, answer: Bytes) -> Result<(), MirrorError> {
        self.shown().snapshot = Some(answer);
        Ok(())
    }

    async fn begin_seed(&self, _canary: Uuid) -> Result<(), MirrorError> {
        Ok(())
    }

    async fn strays(
        &self,
        _expected: &Census,
        is_known: IsKnown<'_>,
    ) -> Result<HashSet<String>, MirrorError> {
        let shown = self.shown();
        let names = shown.mitras.keys().map(Uuid::to_string);
        Ok(names.filter(|name| !is_known(name)).collect())
    }

    async fn remove(&self, members: &[String]) -> Result<(), MirrorError> {
        let mut shown = self.shown();
        for id in members.iter().filter_map(|member| member.parse().ok()) {
            shown.mitras.remove::<Uuid>(&id);
        }
        Ok(())
    }

    async fn end_seed(&self, _canary: Uuid, _now: Timestamp) -> Result<bool, MirrorError> {
        // Nobody can empty a process's memory under it.
        self.shown().is_seeded = true;
        Ok(true)
    }
}
