//! Which sessions somebody has to look at one by one: those that waited in vain, and those whose mitra is
//! not there for them.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};
use uuid::Uuid;

use super::ids;

/// Sessions that have waited too long for a payment or another mitra, and those whose time is over while
/// an extension waits for its payment; the longest overdue first.
pub(crate) async fn overdue(
    query: &impl Query,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT id FROM (
            SELECT id, waits_until AS due FROM chat_sessions
            WHERE status IN ('pending_payment', 'rerouting') AND waits_until <= $1
        UNION ALL
            SELECT id, expires_at FROM chat_sessions
            WHERE status = 'active' AND unpaid_extension_id IS NOT NULL AND expires_at <= $1
        ) AS overdue ORDER BY due, id LIMIT $2";
    Ok(ids(&query.rows(SQL, &[&now, &limit]).await?))
}

/// The earliest instant up to `horizon` at which a session is overdue so.
pub(crate) async fn next_overdue(
    query: &impl Query,
    horizon: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT least(
            (SELECT min(waits_until) FROM chat_sessions
                WHERE status IN ('pending_payment', 'rerouting') AND waits_until <= $1),
            (SELECT min(expires_at) FROM chat_sessions WHERE status = 'active'
                AND unpaid_extension_id IS NOT NULL AND expires_at <= $1))";
    Ok(query.row(SQL, &[&horizon]).await?.get(0))
}

/// Active sessions whose mitra has said nothing since it has them, while the customer has waited for it
/// since `awaited_since` or longer. Those that were answered are marked, so that each is looked at only
/// while somebody waits.
pub(crate) async fn unanswered(
    query: &impl Query,
    awaited_since: Timestamp,
    limit: i64,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "WITH waiting AS (
            SELECT s.id, s.mitra_id, coalesce(s.held_since, s.started_at) AS held_since,
                (SELECT m.sent_at FROM chat_messages m WHERE m.session_id = s.id
                    AND m.sender_role = 'customer' ORDER BY m.seq LIMIT 1) AS asked_at,
                EXISTS (SELECT 1 FROM chat_messages m WHERE m.session_id = s.id
                    AND m.sender_id = s.mitra_id
                    AND m.sent_at >= coalesce(s.held_since, s.started_at)) AS is_answered
            FROM chat_sessions s
            WHERE s.status = 'active' AND NOT s.is_answered AND s.last_seq > 0
        ), marked AS (
            UPDATE chat_sessions s SET is_answered = true FROM waiting w
            WHERE s.id = w.id AND w.is_answered AND s.mitra_id = w.mitra_id
        )
        SELECT id FROM waiting
        WHERE NOT is_answered AND asked_at <= $1 AND held_since <= $1
        ORDER BY greatest(asked_at, held_since), id LIMIT $2";
    Ok(ids(&query.rows(SQL, &[&awaited_since, &limit]).await?))
}

/// Whether the mitra of a session that the caller has locked still owes the customer its first word.
pub(crate) async fn is_unanswered(
    query: &impl Query,
    id: Uuid,
    awaited_since: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "SELECT coalesce(s.held_since, s.started_at) <= $2
            AND EXISTS (SELECT 1 FROM chat_messages m WHERE m.session_id = s.id
                AND m.sender_role = 'customer' AND m.sent_at <= $2)
            AND NOT EXISTS (SELECT 1 FROM chat_messages m WHERE m.session_id = s.id
                AND m.sender_id = s.mitra_id
                AND m.sent_at >= coalesce(s.held_since, s.started_at))
        FROM chat_sessions s WHERE s.id = $1";
    let row = query.row_opt(SQL, &[&id, &awaited_since]).await?;
    Ok(row.and_then(|row| row.get(0)).unwrap_or(false))
}

/// Every mitra that has an active session.
pub(crate) async fn mitras_at_work(query: &impl Query) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT DISTINCT mitra_id FROM chat_sessions WHERE status = 'active'";
    Ok(ids(&query.rows(SQL, &[]).await?))
}

/// The active sessions of these mitras, each with its mitra.
pub(crate) async fn active_of(
    query: &impl Query,
    mitra_ids: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, DbError> {
    const SQL: &str = "SELECT id, mitra_id FROM chat_sessions
        WHERE status = 'active' AND mitra_id = ANY($1) ORDER BY id";
    let rows = query.rows(SQL, &[&mitra_ids]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
