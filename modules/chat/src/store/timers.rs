//! What is due by the clock alone, for many sessions at once, and when the next thing will be.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row};
use uuid::Uuid;

/// A session that has ended, and whose it was.
pub(crate) struct Ended {
    pub(crate) id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) mitra_id: Uuid,
}

/// Ends the sessions whose time is over, at most `limit`; which, and whose mitras have a seat again. Their
/// whole time is consumed. Sessions that another process works on are left to it. One with an unpaid
/// extension takes more than a statement: see `waiting`.
pub(crate) async fn end_due(
    query: &impl Query,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Ended>, DbError> {
    const SQL: &str = "WITH due AS (
            SELECT id, expires_at - coalesce(clock_since, started_at) AS ran FROM chat_sessions
            WHERE status = 'active' AND expires_at <= $1 AND unpaid_extension_id IS NULL
            ORDER BY expires_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
        ), ended AS (
            UPDATE chat_sessions s SET status = 'ended', end_reason = 'expired',
                ended_at = s.expires_at, clock_since = NULL, version = s.version + 1
            FROM due WHERE s.id = due.id AND s.status = 'active'
            RETURNING s.id, s.customer_id, s.mitra_id
        ), noted AS (
            INSERT INTO chat_events (session_id, event, actor, at)
            SELECT id, 'session_expired', 'system', $1 FROM ended
        ), consumed AS (
            INSERT INTO chat_time (session_id, kind, ms, at)
            SELECT id, 'consumed', (extract(epoch FROM ran) * 1000)::bigint, $1 FROM due
            WHERE ran > interval '0'
        )
        SELECT id, customer_id, mitra_id FROM ended";
    let rows = query.rows(SQL, &[&now, &limit]).await?;
    let ended = |row: &Row| Ended {
        id: row.get("id"),
        customer_id: row.get("customer_id"),
        mitra_id: row.get("mitra_id"),
    };
    Ok(rows.iter().map(ended).collect())
}

/// A session whose sides are to be warned.
pub(crate) struct Ending {
    pub(crate) id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) mitra_id: Uuid,
    pub(crate) expires_at: Timestamp,
    pub(crate) version: i64,
}

/// Claims the warning at `seconds` before the end for every session that has come so far and has not
/// had it or a nearer one.
pub(crate) async fn warn_due(
    query: &impl Query,
    now: Timestamp,
    until: Timestamp,
    seconds: i32,
) -> Result<Vec<Ending>, DbError> {
    const SQL: &str = "UPDATE chat_sessions SET warned_seconds = $3, version = version + 1
        WHERE status = 'active' AND expires_at > $1 AND expires_at <= $2
          AND (warned_seconds IS NULL OR warned_seconds > $3)
        RETURNING id, customer_id, mitra_id, expires_at, version";
    let rows = query.rows(SQL, &[&now, &until, &seconds]).await?;
    let ending = |row: &Row| Ending {
        id: row.get("id"),
        customer_id: row.get("customer_id"),
        mitra_id: row.get("mitra_id"),
        expires_at: row.get("expires_at"),
        version: row.get("version"),
    };
    Ok(rows.iter().map(ending).collect())
}

/// The earliest instant up to `horizon` at which a session or a request changes by itself: its end, a
/// warning (`warnings` are seconds before the end).
/// Everything that was due at `now` has been done, so warnings are looked for after it.
pub(crate) async fn next_due(
    query: &impl Query,
    now: Timestamp,
    horizon: Timestamp,
    warnings: &[i32],
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT min(due) FROM (
            SELECT min(expires_at) AS due FROM chat_sessions
            WHERE status = 'active' AND expires_at <= $2 AND unpaid_extension_id IS NULL
        UNION ALL
            SELECT (SELECT min(s.expires_at) FROM chat_sessions s WHERE s.status = 'active'
                AND s.expires_at > $1::timestamptz + ahead
                AND s.expires_at <= $2::timestamptz + ahead) - ahead
            FROM unnest($3::int[]) AS seconds, make_interval(secs => seconds) AS ahead
        UNION ALL
            SELECT min(expires_at) FROM chat_requests
            WHERE status = 'searching' AND expires_at <= $2
        ) AS timers";
    Ok(query.row(SQL, &[&now, &horizon, &warnings]).await?.get(0))
}
