//! What Valkey knows about many mitras, column by column: in bounded round trips.

use std::str::FromStr;

use halobestie_core::Timestamp;
use halobestie_core::valkey::Valkey;
use halobestie_core::valkey::redis::{Cmd, cmd, pipe};
use uuid::Uuid;

use super::MirrorError;
use super::keys::Keys;

/// Cells of one round trip: whoever else asks on the same connection waits behind them, a millisecond.
const CELLS_PER_ROUND_TRIP: usize = 1750;

/// Something that the mirror knows about each mitra.
#[derive(Clone, Copy)]
pub(super) enum Column {
    Online,
    Deactivated,
    /// Unix milliseconds of the last heartbeat of who is free.
    Free,
    Heartbeat,
    Capacity,
    MaxSessions,
    Version,
}

impl Column {
    fn of(self, keys: &Keys, ids: &[String]) -> Cmd {
        match self {
            Self::Online => members(&keys.online, ids),
            Self::Deactivated => members(&keys.deactivated, ids),
            Self::Free => scores(&keys.free, ids),
            Self::Heartbeat => texts(ids.iter().map(|id| keys.heartbeat(id))),
            Self::Capacity => texts(ids.iter().map(|id| keys.capacity(id))),
            Self::MaxSessions => fields(&keys.max_sessions, ids),
            Self::Version => fields(&keys.version, ids),
        }
    }
}

/// Columns as they were read; what is missing, or is a key of another type, is `None`.
pub(super) struct Columns(Vec<Vec<Option<String>>>);

impl Columns {
    /// Reads these columns of these mitras.
    pub(super) async fn read(
        valkey: &Valkey,
        keys: &Keys,
        ids: &[String],
        columns: &[Column],
    ) -> Result<Self, MirrorError> {
        let mut read: Vec<Vec<Option<String>>> = vec![Vec::with_capacity(ids.len()); columns.len()];
        for some in ids.chunks(CELLS_PER_ROUND_TRIP / columns.len().max(1)) {
            let mut ask = pipe();
            for column in columns {
                ask.add_command(column.of(keys, some));
            }
            let answers: Vec<Vec<Option<String>>> = valkey.run_all(&ask).await?;
            for (column, mut cells) in read.iter_mut().zip(answers) {
                column.append(&mut cells);
            }
        }
        Ok(Self(read))
    }

    /// What the n-th column says about the mitra in a row.
    pub(super) fn cell(&self, column: usize, row: usize) -> Option<&str> {
        self.0.get(column)?.get(row)?.as_deref()
    }
}

fn texts(keys: impl Iterator<Item = String>) -> Cmd {
    let mut ask = cmd("MGET");
    ask.arg(keys.collect::<Vec<_>>());
    ask
}

fn members(set: &str, ids: &[String]) -> Cmd {
    let mut ask = cmd("SMISMEMBER");
    ask.arg(set).arg(ids);
    ask
}

fn scores(sorted_set: &str, ids: &[String]) -> Cmd {
    let mut ask = cmd("ZMSCORE");
    ask.arg(sorted_set).arg(ids);
    ask
}

fn fields(hash: &str, ids: &[String]) -> Cmd {
    let mut ask = cmd("HMGET");
    ask.arg(hash).arg(ids);
    ask
}

/// The id that a member of a set must be.
pub(super) fn id_of(member: &str) -> Result<Uuid, MirrorError> {
    member
        .parse()
        .map_err(|_| MirrorError::Damaged("a member is not an id"))
}

/// A heartbeat; one that cannot be read is as good as lost.
pub(super) fn instant(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(Timestamp::parse)
}

/// A number, without which the mirror is damaged.
pub(super) fn number<T: FromStr>(text: Option<&str>, what: &'static str) -> Result<T, MirrorError> {
    text.and_then(|text| text.parse().ok())
        .ok_or(MirrorError::Damaged(what))
}
