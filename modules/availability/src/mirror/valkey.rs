//! The mirror in Valkey. The keys' names and types are promises to operators; see the README.
//!
//! Three scripts change what belongs together in one step, so that nobody sees the half of it: all
//! that is shown of a mitra, a heartbeat, the end of a seed.

mod free;
mod show;
mod shown;
mod walk;

use std::collections::HashSet;

use async_trait::async_trait;
use bytes::Bytes;
use halobestie_core::Timestamp;
use halobestie_core::valkey::Valkey;
use halobestie_core::valkey::redis::{Cmd, Pipeline, cmd, pipe};
use uuid::Uuid;

use super::columns::instant;
use super::keys::Keys;
use super::{
    Applied, Census, IsKnown, Mirror, MirrorError, OnlinePage, Precedence, Pulse, SNAPSHOT_LIFE,
    Sighting,
};
use crate::liveness::Liveness;
use crate::mitra::MitraState;

const HEARTBEAT: &str = include_str!("heartbeat.lua");
const END_SEED: &str = include_str!("end_seed.lua");

/// Names removed by one command: Valkey serves nobody else meanwhile, so it must be short.
const NAMES_PER_COMMAND: usize = 500;

/// A seed that takes longer than this begins anew.
const CANARY_LIFE_SECONDS: u64 = 120;

/// The mirror in Valkey.
pub struct ValkeyMirror {
    valkey: Valkey,
    keys: Keys,
    heartbeat_life_seconds: u64,
}

impl ValkeyMirror {
    /// A mirror under the client's key prefix.
    pub fn new(valkey: Valkey, liveness: &Liveness) -> Self {
        let keys = Keys::new(&valkey);
        Self {
            valkey,
            keys,
            heartbeat_life_seconds: liveness.key_life().as_secs(),
        }
    }

    /// Whether the mirror is whole. Asked last: what was read before it was read from a whole one,
    /// for nobody fills a mirror that was emptied within one pipeline.
    fn is_seeded(&self) -> Cmd {
        let mut ask = cmd("EXISTS");
        ask.arg(&self.keys.seeded_at);
        ask
    }
}

#[async_trait]
impl Mirror for ValkeyMirror {
    async fn apply(
        &self,
        states: &[MitraState],
        precedence: Precedence,
        now: Timestamp,
    ) -> Result<Applied, MirrorError> {
        let mut applied = Applied::default();
        for some in states.chunks(show::STATES_PER_RUN) {
            applied += self.apply_some(some, precedence, now).await?;
        }
        Ok(applied)
    }

    async fn differing(&self, states: Vec<MitraState>) -> Result<Vec<MitraState>, MirrorError> {
        self.shown_otherwise(states).await
    }

    async fn heartbeat(&self, mitra_id: Uuid, now: Timestamp) -> Result<Pulse, MirrorError> {
        let (keys, id) = (&self.keys, mitra_id.to_string());
        let names = [
            &keys.seeded_at,
            &keys.online,
            &keys.deactivated,
            &keys.free,
            &keys.heartbeat(&id),
        ];
        let mut run = script(HEARTBEAT, &names);
        run.arg(&id)
            .arg(now.to_string())
            .arg(now.unix_ms())
            .arg(self.heartbeat_life_seconds);
        match self.valkey.run::<String>(&run).await?.as_str() {
            "online" => Ok(Pulse::Online),
            "offline" => Ok(Pulse::Offline),
            "deactivated" => Ok(Pulse::Deactivated),
            "damaged" => Err(free::NOT_ONLINE),
            _ => Err(MirrorError::NotSeeded),
        }
    }

    async fn sighting(&self, mitra_id: Uuid) -> Result<Sighting, MirrorError> {
        let (keys, id) = (&self.keys, mitra_id.to_string());
        let mut ask = pipe();
        ask.atomic();
        ask.cmd("SISMEMBER").arg(&keys.online).arg(&id);
        ask.cmd("SISMEMBER").arg(&keys.deactivated).arg(&id);
        ask.cmd("ZSCORE").arg(&keys.free).arg(&id);
        // Not GET: a key of another type counts as lost, as it does for many.
        ask.cmd("MGET").arg(keys.heartbeat(&id));
        ask.add_command(self.is_seeded());
        type Answer = (bool, bool, Option<f64>, [Option<String>; 1], bool);
        let (is_online, is_deactivated, free, [heard_at], is_seeded): Answer =
            self.valkey.run_all(&ask).await?;
        if !is_seeded {
            return Err(MirrorError::NotSeeded);
        }
        if free.is_some() && !is_online && !is_deactivated {
            return Err(free::NOT_ONLINE);
        }
        Ok(Sighting {
            is_online,
            is_deactivated,
            heard_at: instant(heard_at.as_deref()),
        })
    }

    async fn available(&self, stale_at: Timestamp) -> Result<Vec<Uuid>, MirrorError> {
        self.find_free(stale_at).await
    }

    async fn count_available(&self, stale_at: Timestamp) -> Result<u64, MirrorError> {
        self.count_free(stale_at).await
    }

    async fn online_page(&self, cursor: u64) -> Result<OnlinePage, MirrorError> {
        self.online_from(cursor).await
    }

    async fn snapshot(&self) -> Result<Option<Bytes>, MirrorError> {
        let mut ask = cmd("MGET");
        ask.arg(&self.keys.snapshot);
        let [snapshot]: [Option<Vec<u8>>; 1] = self.valkey.run(&ask).await?;
        Ok(snapshot.map(Bytes::from))
    }

    async fn keep_snapshot(&self, answer: Bytes) -> Result<(), MirrorError> {
        let mut keep = cmd("SET");
        keep.arg(&self.keys.snapshot)
            .arg(&answer[..])
            .arg("EX")
            .arg(SNAPSHOT_LIFE.as_secs());
        Ok(self.valkey.run(&keep).await?)
    }

    async fn begin_seed(&self, canary: Uuid) -> Result<(), MirrorError> {
        let keys = &self.keys;
        let typed = keys.typed();
        let mut begin = pipe();
        begin
            .cmd("SET")
            .arg(keys.canary(canary))
            .arg(1)
            .arg("EX")
            .arg(CANARY_LIFE_SECONDS)
            .ignore();
        for (key, _) in &typed {
            begin.cmd("TYPE").arg(key);
        }
        let types: Vec<String> = self.valkey.run_all(&begin).await?;
        let is_wrong = |found: &str, wanted: &str| found != "none" && found != wanted;
        let wrong = typed
            .iter()
            .zip(&types)
            .filter(|((_, wanted), found)| is_wrong(found, wanted));
        let wrong: Vec<&String> = wrong.map(|((key, _), _)| *key).collect();
        if wrong.is_empty() {
            return Ok(());
        }
        // Together, so that nobody takes what is missing now for a fact.
        let mut remove = cmd("DEL");
        remove.arg(&keys.seeded_at).arg(&wrong);
        Ok(self.valkey.run(&remove).await?)
    }

    async fn strays(
        &self,
        expected: &Census,
        is_known: IsKnown<'_>,
    ) -> Result<HashSet<String>, MirrorError> {
        self.unknown_names(expected, is_known).await
    }

    async fn remove(&self, members: &[String]) -> Result<(), MirrorError> {
        let keys = &self.keys;
        for some in members.chunks(NAMES_PER_COMMAND) {
            let mut remove: Pipeline = pipe();
            remove.cmd("ZREM").arg(&keys.free).arg(some);
            remove.cmd("SREM").arg(&keys.online).arg(some);
            remove.cmd("SREM").arg(&keys.deactivated).arg(some);
            remove.cmd("HDEL").arg(&keys.max_sessions).arg(some);
            remove.cmd("HDEL").arg(&keys.version).arg(some);
            let belongings = some
                .iter()
                .flat_map(|it| [keys.capacity(it), keys.heartbeat(it)]);
            remove.cmd("DEL").arg(belongings.collect::<Vec<_>>());
            let _: Vec<u64> = self.valkey.run_all(&remove).await?;
        }
        Ok(())
    }

    async fn end_seed(&self, canary: Uuid, now: Timestamp) -> Result<bool, MirrorError> {
        let keys = &self.keys;
        let names = [&keys.canary(canary), &keys.seeded_at, &keys.free];
        let mut run = script(END_SEED, &names);
        run.arg(now.to_string()).arg(free::MARK);
        Ok(self.valkey.run(&run).await?)
    }
}

/// EVAL rather than EVALSHA: a script of a few hundred bytes costs less than the second round trip
/// after a restart that forgot it.
fn script<K: AsRef<str>>(text: &str, keys: &[K]) -> Cmd {
    let mut run = cmd("EVAL");
    run.arg(text).arg(keys.len());
    for key in keys {
        run.arg(key.as_ref());
    }
    run
}
