//! Deletes personal text that is too old, in bounded batches. The rows of sessions and requests stay:
//! records of money point at them.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Tx};
use uuid::Uuid;

use super::ids;

/// The sessions that ended the longest ago, before `cutoff`, and still have text; locked, without those
/// that somebody else is at.
pub(crate) async fn lock_old_sessions(
    tx: &Tx<'_>,
    cutoff: Timestamp,
    limit: i64,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT id FROM chat_sessions
        WHERE status = 'ended' AND erased_at IS NULL AND ended_at < $1
        ORDER BY ended_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED";
    Ok(ids(&tx.rows(SQL, &[&cutoff, &limit]).await?))
}

/// Deletes messages of these sessions, at most `limit`; how many.
pub(crate) async fn delete_messages(
    tx: &Tx<'_>,
    session_ids: &[Uuid],
    limit: i64,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM chat_messages WHERE (session_id, seq) IN
        (SELECT session_id, seq FROM chat_messages WHERE session_id = ANY($1) LIMIT $2)";
    tx.execute(SQL, &[&session_ids, &limit]).await
}

/// Deletes what else people wrote about these sessions, which have no messages left.
pub(crate) async fn erase_sessions(
    tx: &Tx<'_>,
    session_ids: &[Uuid],
    now: Timestamp,
) -> Result<u64, DbError> {
    const SQL: &str = "WITH said AS (
            UPDATE chat_ratings SET comment = NULL
            WHERE session_id = ANY($1) AND comment IS NOT NULL
        ), noted AS (
            UPDATE chat_events SET note = NULL
            WHERE session_id = ANY($1) AND actor = 'mitra' AND note IS NOT NULL
        )
        UPDATE chat_sessions SET topic = NULL, erased_at = $2 WHERE id = ANY($1)";
    tx.execute(SQL, &[&session_ids, &now]).await
}

/// Deletes the topics and the offers of requests that were over before `cutoff`, at most `limit` of
/// them; how many.
pub(crate) async fn erase_requests(
    tx: &Tx<'_>,
    cutoff: Timestamp,
    now: Timestamp,
    limit: i64,
) -> Result<u64, DbError> {
    const SQL: &str = "WITH old AS (
            SELECT id FROM chat_requests
            WHERE closed_at IS NOT NULL AND erased_at IS NULL AND closed_at < $1
            ORDER BY closed_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
        ), offered AS (
            DELETE FROM chat_offers o USING old WHERE o.request_id = old.id
        )
        UPDATE chat_requests r SET topic = NULL, erased_at = $2 FROM old WHERE r.id = old.id";
    tx.execute(SQL, &[&cutoff, &now, &limit]).await
}
