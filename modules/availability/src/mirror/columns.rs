//! What Valkey knows about many mitras, column by column: bounded commands in bounded round trips.

use std::str::FromStr;

use halobestie_core::Timestamp;
use halobestie_core::valkey::Valkey;
use halobestie_core::valkey::redis::{Cmd, cmd, pipe};
use uuid::Uuid;

use super::MirrorError;
use super::keys::Keys;

/// Keys or fields of one command: Valkey serves nobody else meanwhile, so it must be short.
pub(super) const KEYS_PER_COMMAND: usize = 1000;
/// Mitras of one round trip, which has one deadline.
const MITRAS_PER_ROUND_TRIP: usize = 10 * KEYS_PER_COMMAND;

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
        for some in ids.chunks(MITRAS_PER_ROUND_TRIP) {
            let mut ask = pipe();
            for column in columns {
                for few in some.chunks(KEYS_PER_COMMAND) {
                    ask.add_command(column.of(keys, few));
                }
            }
            let mut answers: Vec<Vec<Option<String>>> = valkey.run_all(&ask).await?;
            let commands_per_column = some.len().div_ceil(KEYS_PER_COMMAND);
            for (column, answers) in read.iter_mut().zip(answers.chunks_mut(commands_per_column)) {
                answers.iter_mut().for_each(|cells| column.append(cells));
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
