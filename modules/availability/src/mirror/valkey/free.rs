//! Who is free: read from one sorted set, `mitras:free`, instead of three keys a mitra.
//!
//! It holds whoever is online, not deactivated and below the limit, at the Unix milliseconds of the
//! last heartbeat; the scripts keep it in step with the promised keys. So counting costs the same
//! however many there are, and finding no more than sending the ids. Reading a few keys for each of a
//! hundred thousand mitras would keep Valkey, which does one thing at a time, busy for a third of a
//! second.
//!
//! The invariant: it is never the only witness while asking others is cheap. A few candidates are
//! confirmed by the promised keys, and a set that was deleted, or that contradicts `mitras:online`,
//! is not believed.

use halobestie_core::Timestamp;
use halobestie_core::valkey::redis::{Cmd, Pipeline, cmd, pipe};
use uuid::Uuid;

use super::super::MirrorError;
use super::super::columns::{Column, Columns, KEYS_PER_COMMAND, id_of, instant, number};
use super::ValkeyMirror;

/// A member that is no mitra and is set by the end of a seed. It goes when the whole set does.
pub(super) const MARK: &str = "seeded";

/// Somebody is free and not online.
pub(super) const NOT_ONLINE: MirrorError = MirrorError::Damaged("who is free is not online");

/// As many candidates are confirmed: those that cost one command a column.
const CONFIRMED_MAX: usize = KEYS_PER_COMMAND;

/// What says whether the sorted set can be believed.
type Evidence = (bool, Option<f64>, u64, u64);

impl ValkeyMirror {
    /// Everyone who is free and heard from after `stale_at`.
    pub(super) async fn find_free(&self, stale_at: Timestamp) -> Result<Vec<Uuid>, MirrorError> {
        let mut ask = pipe();
        ask.atomic().add_command(self.free_since(stale_at));
        self.ask_for_evidence(&mut ask);
        let (ids, seeded, mark, online, free): (Vec<String>, _, _, _, _) =
            self.valkey.run_all(&ask).await?;
        judge((seeded, mark, online, free))?;
        if ids.len() > CONFIRMED_MAX {
            return ids.iter().map(|id| id_of(id)).collect();
        }
        self.confirmed(&ids, stale_at).await
    }

    /// How many are free and heard from after `stale_at`.
    pub(super) async fn count_free(&self, stale_at: Timestamp) -> Result<u64, MirrorError> {
        let mut ask = pipe();
        let mut count = cmd("ZCOUNT");
        count.arg(&self.keys.free).arg(after(stale_at)).arg("+inf");
        let mut few = self.free_since(stale_at);
        few.arg("LIMIT").arg(0).arg(CONFIRMED_MAX);
        ask.atomic().add_command(count).add_command(few);
        self.ask_for_evidence(&mut ask);
        let (count, few, seeded, mark, online, free): (u64, Vec<String>, _, _, _, _) =
            self.valkey.run_all(&ask).await?;
        judge((seeded, mark, online, free))?;
        if count > few.len() as u64 {
            return Ok(count);
        }
        Ok(self.confirmed(&few, stale_at).await?.len() as u64)
    }

    fn free_since(&self, stale_at: Timestamp) -> Cmd {
        let mut range = cmd("ZRANGEBYSCORE");
        range.arg(&self.keys.free).arg(after(stale_at)).arg("+inf");
        range
    }

    /// To be asked in one step with what is to be believed.
    fn ask_for_evidence(&self, ask: &mut Pipeline) {
        let keys = &self.keys;
        ask.add_command(self.is_seeded());
        ask.cmd("ZSCORE").arg(&keys.free).arg(MARK);
        ask.cmd("SCARD").arg(&keys.online);
        ask.cmd("ZCARD").arg(&keys.free);
    }

    /// Those of a few whom the promised keys call available too.
    async fn confirmed(
        &self,
        ids: &[String],
        stale_at: Timestamp,
    ) -> Result<Vec<Uuid>, MirrorError> {
        let columns = [
            Column::Online,
            Column::Deactivated,
            Column::Heartbeat,
            Column::Capacity,
            Column::MaxSessions,
        ];
        let columns = Columns::read(&self.valkey, &self.keys, ids, &columns).await?;
        let mut confirmed = Vec::with_capacity(ids.len());
        for (row, id) in ids.iter().enumerate() {
            let cell = |column| columns.cell(column, row);
            let is_reachable = cell(0) == Some("1")
                && cell(1) == Some("0")
                && instant(cell(2)).is_some_and(|heard| heard > stale_at);
            let in_use: i64 = number(cell(3), "a capacity")?;
            if is_reachable && in_use < number(cell(4), "a limit")? {
                confirmed.push(id_of(id)?);
            }
        }
        Ok(confirmed)
    }
}

/// The lower bound of heartbeats that are not stale.
fn after(stale_at: Timestamp) -> String {
    format!("({}", stale_at.unix_ms())
}

fn judge((is_seeded, mark, online, free): Evidence) -> Result<(), MirrorError> {
    if !is_seeded {
        return Err(MirrorError::NotSeeded);
    }
    if mark.is_none() {
        return Err(MirrorError::Damaged("the list of the free was deleted"));
    }
    // The mark is one of the members.
    if free > online + 1 {
        return Err(NOT_ONLINE);
    }
    Ok(())
}
