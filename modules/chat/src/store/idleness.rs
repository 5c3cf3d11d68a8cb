//! How long mitras have been without a session, as far as sessions tell.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};
use uuid::Uuid;

/// What a mitra's sessions say about its idleness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Idleness {
    pub(crate) mitra_id: Uuid,
    /// How many go on.
    pub(crate) open_sessions: i64,
    /// When the last of those that are over ended.
    pub(crate) last_ended_at: Option<Timestamp>,
}

/// That of each of these mitras.
pub(crate) async fn of(query: &impl Query, mitra_ids: &[Uuid]) -> Result<Vec<Idleness>, DbError> {
    // Each maximum is one probe of the index `chat_sessions_last_ended`.
    const SQL: &str = "SELECT m.id,
            (SELECT count(*) FROM chat_sessions s
                WHERE s.mitra_id = m.id AND s.status <> 'ended') AS open_sessions,
            (SELECT max(s.ended_at) FROM chat_sessions s
                WHERE s.mitra_id = m.id AND s.status = 'ended') AS last_ended_at
        FROM unnest($1::uuid[]) AS m (id)";
    let rows = query.rows(SQL, &[&mitra_ids]).await?;
    let idleness = rows.iter().map(|row| Idleness {
        mitra_id: row.get("id"),
        open_sessions: row.get("open_sessions"),
        last_ended_at: row.get("last_ended_at"),
    });
    Ok(idleness.collect())
}
