//! The mirror in Valkey. The keys' names and types are promises to operators; see the README.

use std::collections::HashSet;

use async_trait::async_trait;
use bytes::Bytes;
use halobestie_core::Timestamp;
use halobestie_core::valkey::Valkey;
use halobestie_core::valkey::redis::{Cmd, Pipeline, cmd, pipe};
use uuid::Uuid;

use super::columns::{Column, Columns, KEYS_PER_COMMAND, id_of, instant, number};
use super::keys::Keys;
use super::{
    Applied, Candidate, Mirror, MirrorError, Online, Precedence, Pulse, SNAPSHOT_LIFE, Sighting,
};
use crate::liveness::Liveness;
use crate::mitra::MitraState;

const APPLY: &str = include_str!("apply.lua");
const HEARTBEAT: &str = include_str!("heartbeat.lua");
const END_SEED: &str = include_str!("end_seed.lua");

/// States shown by one run of the script: Valkey serves nobody else meanwhile, so it must be short.
const STATES_PER_RUN: usize = 250;
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

    async fn apply_some(
        &self,
        states: &[MitraState],
        precedence: Precedence,
        now: Timestamp,
    ) -> Result<Applied, MirrorError> {
        let keys = &self.keys;
        let mut names = vec![
            keys.online.clone(),
            keys.deactivated.clone(),
            keys.max_sessions.clone(),
            keys.version.clone(),
            keys.snapshot.clone(),
        ];
        for state in states {
            let id = state.mitra.id.to_string();
            names.extend([keys.capacity(&id), keys.heartbeat(&id)]);
        }
        let mut run = script(APPLY, &names);
        run.arg(match precedence {
            Precedence::Newest => "newest",
            Precedence::Postgres => "postgres",
        });
        run.arg(now.to_string()).arg(self.heartbeat_life_seconds);
        for state in states {
            add_state(&mut run, state);
        }
        let (differing, flipped, ahead): (u64, bool, Vec<(String, i64)>) =
            self.valkey.run(&run).await?;
        let ahead = ahead
            .into_iter()
            .map(|(id, version)| Ok((id_of(&id)?, version)));
        Ok(Applied {
            differing,
            flipped,
            ahead: ahead.collect::<Result<_, MirrorError>>()?,
        })
    }

    /// The members of a set expression, in a mirror that is whole.
    async fn ids(&self, expression: Cmd) -> Result<Vec<String>, MirrorError> {
        let mut ask = pipe();
        ask.add_command(expression).add_command(self.is_seeded());
        let (ids, is_seeded): (Vec<String>, bool) = self.valkey.run_all(&ask).await?;
        if is_seeded {
            Ok(ids)
        } else {
            Err(MirrorError::NotSeeded)
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
        for some in states.chunks(STATES_PER_RUN) {
            applied += self.apply_some(some, precedence, now).await?;
        }
        Ok(applied)
    }

    async fn heartbeat(&self, mitra_id: Uuid, now: Timestamp) -> Result<Pulse, MirrorError> {
        let (keys, id) = (&self.keys, mitra_id.to_string());
        let names = [
            &keys.seeded_at,
            &keys.online,
            &keys.deactivated,
            &keys.heartbeat(&id),
        ];
        let mut run = script(HEARTBEAT, &names);
        run.arg(&id)
            .arg(now.to_string())
            .arg(self.heartbeat_life_seconds);
        match self.valkey.run::<String>(&run).await?.as_str() {
            "online" => Ok(Pulse::Online),
            "offline" => Ok(Pulse::Offline),
            "deactivated" => Ok(Pulse::Deactivated),
            _ => Err(MirrorError::NotSeeded),
        }
    }

    async fn sighting(&self, mitra_id: Uuid) -> Result<Sighting, MirrorError> {
        let (keys, id) = (&self.keys, mitra_id.to_string());
        let mut ask = pipe();
        ask.cmd("SISMEMBER").arg(&keys.online).arg(&id);
        ask.cmd("SISMEMBER").arg(&keys.deactivated).arg(&id);
        // Not GET: a key of another type counts as lost, as it does for many.
        ask.cmd("MGET").arg(keys.heartbeat(&id));
        ask.add_command(self.is_seeded());
        let (is_online, is_deactivated, [heard_at], is_seeded): (_, _, [Option<String>; 1], bool) =
            self.valkey.run_all(&ask).await?;
        if !is_seeded {
            return Err(MirrorError::NotSeeded);
        }
        Ok(Sighting {
            is_online,
            is_deactivated,
            heard_at: instant(heard_at.as_deref()),
        })
    }

    async fn candidates(&self) -> Result<Vec<Candidate>, MirrorError> {
        let mut working = cmd("SDIFF");
        working.arg(&self.keys.online).arg(&self.keys.deactivated);
        let ids = self.ids(working).await?;
        let columns = [Column::Heartbeat, Column::Capacity, Column::MaxSessions];
        let columns = Columns::read(&self.valkey, &self.keys, &ids, &columns).await?;
        let candidate = |(row, id): (usize, &String)| {
            let cell = |column| columns.cell(column, row);
            Ok(Candidate {
                mitra_id: id_of(id)?,
                heard_at: instant(cell(0)),
                in_use: number(cell(1), "a capacity")?,
                max_sessions: number(cell(2), "a limit")?,
            })
        };
        ids.iter().enumerate().map(candidate).collect()
    }

    async fn online(&self) -> Result<Vec<Online>, MirrorError> {
        let mut online = cmd("SMEMBERS");
        online.arg(&self.keys.online);
        let ids = self.ids(online).await?;
        let columns = [Column::Heartbeat, Column::Version];
        let columns = Columns::read(&self.valkey, &self.keys, &ids, &columns).await?;
        let row = |(row, id): (usize, &String)| {
            let cell = |column| columns.cell(column, row);
            Ok(Online {
                mitra_id: id_of(id)?,
                heard_at: instant(cell(0)),
                version: number(cell(1), "a version")?,
            })
        };
        ids.iter().enumerate().map(row).collect()
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

    async fn members(&self) -> Result<Vec<String>, MirrorError> {
        let keys = &self.keys;
        let mut ask = pipe();
        ask.cmd("SMEMBERS").arg(&keys.online);
        ask.cmd("SMEMBERS").arg(&keys.deactivated);
        ask.cmd("HKEYS").arg(&keys.max_sessions);
        ask.cmd("HKEYS").arg(&keys.version);
        let lists: Vec<Vec<String>> = self.valkey.run_all(&ask).await?;
        let members: HashSet<String> = lists.into_iter().flatten().collect();
        Ok(members.into_iter().collect())
    }

    async fn remove(&self, members: &[String]) -> Result<(), MirrorError> {
        let keys = &self.keys;
        for some in members.chunks(KEYS_PER_COMMAND) {
            let mut remove: Pipeline = pipe();
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
        let mut run = script(END_SEED, &[&self.keys.canary(canary), &self.keys.seeded_at]);
        run.arg(now.to_string());
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

fn add_state(run: &mut Cmd, state: &MitraState) {
    let mitra = &state.mitra;
    let heard = mitra
        .last_heartbeat_at
        .map_or_else(String::new, |at| at.to_string());
    run.arg(mitra.id.to_string()).arg(mitra.version);
    run.arg(u8::from(mitra.is_online))
        .arg(u8::from(!mitra.is_active));
    run.arg(mitra.max_sessions).arg(state.in_use).arg(heard);
}
