//! Comparing: which states are shown otherwise than they are. Seven columns are read instead of a script
//! run, which would do ten things for each mitra, one after the other, while Valkey serves nobody else.

use super::super::MirrorError;
use super::super::columns::{Column, Columns, instant};
use super::ValkeyMirror;
use crate::mitra::MitraState;

const COLUMNS: [Column; 7] = [
    Column::Online,
    Column::Deactivated,
    Column::Capacity,
    Column::MaxSessions,
    Column::Version,
    Column::Heartbeat,
    Column::Free,
];

impl ValkeyMirror {
    /// Those of these states that are not shown just so.
    pub(super) async fn shown_otherwise(
        &self,
        states: Vec<MitraState>,
    ) -> Result<Vec<MitraState>, MirrorError> {
        let ids: Vec<String> = states.iter().map(|it| it.mitra.id.to_string()).collect();
        let columns = Columns::read(&self.valkey, &self.keys, &ids, &COLUMNS).await?;
        let rows = states.into_iter().enumerate();
        let differing =
            rows.filter(|(row, state)| !is_shown(state, |column| columns.cell(column, *row)));
        Ok(differing.map(|(_, state)| state).collect())
    }
}

/// Whether the cells of a row, in the order of [`COLUMNS`], say what a state does.
fn is_shown<'a>(state: &MitraState, cell: impl Fn(usize) -> Option<&'a str>) -> bool {
    let mitra = &state.mitra;
    let says = |column, truth: i64| cell(column).and_then(|text| text.parse().ok()) == Some(truth);
    says(0, mitra.is_online.into())
        && says(1, (!mitra.is_active).into())
        && says(2, state.in_use.into())
        && says(3, mitra.max_sessions.into())
        && says(4, mitra.version)
        && is_heard(state, cell(5), cell(6))
}

/// Who works has a heartbeat, no older than the one that Postgres knows; who is free stands at it.
fn is_heard(state: &MitraState, heartbeat: Option<&str>, free_at: Option<&str>) -> bool {
    if !state.has_heartbeat() {
        return heartbeat.is_none() && free_at.is_none();
    }
    let Some(heard) = instant(heartbeat) else {
        return false;
    };
    let expected = state.is_open().then(|| heard.unix_ms());
    Some(heard) >= state.mitra.last_heartbeat_at
        && free_at.map(str::parse::<i64>) == expected.map(Ok)
}
