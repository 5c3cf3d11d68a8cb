//! `chat_sessions`. Every change that both sides must hear of counts `version` up.

use std::collections::HashMap;

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row, Tx};
use halobestie_core::ports::Role;
use uuid::Uuid;

use super::{name, package, package_json};
use crate::packages::Package;
use crate::session_state::{EndReason, SessionStatus};

/// A session as it is stored, with what each side has not read.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    pub(crate) id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) mitra_id: Uuid,
    pub(crate) status: SessionStatus,
    pub(crate) topic: Option<String>,
    pub(crate) package: Package,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) end_reason: Option<EndReason>,
    pub(crate) last_seq: i64,
    pub(crate) version: i64,
    pub(crate) customer_unread: i64,
    pub(crate) mitra_unread: i64,
}

macro_rules! select_sessions {
    ($where:literal) => {
        concat!(
            "SELECT s.id, s.customer_id, s.mitra_id, s.status, s.topic, s.package, s.started_at,
                s.expires_at, s.ended_at, s.end_reason, s.last_seq, s.version,
                (SELECT count(*) FROM chat_messages m WHERE m.session_id = s.id
                    AND m.seq > s.customer_read_seq AND m.sender_role = 'mitra') AS customer_unread,
                (SELECT count(*) FROM chat_messages m WHERE m.session_id = s.id
                    AND m.seq > s.mitra_read_seq AND m.sender_role = 'customer') AS mitra_unread
            FROM chat_sessions s ",
            $where
        )
    };
}

fn read(row: &Row) -> Result<SessionRow, DbError> {
    let end_reason: Option<&str> = row.get("end_reason");
    Ok(SessionRow {
        id: row.get("id"),
        customer_id: row.get("customer_id"),
        mitra_id: row.get("mitra_id"),
        status: name(row, "status", SessionStatus::parse)?,
        topic: row.get("topic"),
        package: package(row)?,
        started_at: row.get("started_at"),
        expires_at: row.get("expires_at"),
        ended_at: row.get("ended_at"),
        end_reason: end_reason.and_then(EndReason::parse),
        last_seq: row.get("last_seq"),
        version: row.get("version"),
        customer_unread: row.get("customer_unread"),
        mitra_unread: row.get("mitra_unread"),
    })
}

/// A session that starts at once.
pub(crate) struct NewSession<'a> {
    pub(crate) id: Uuid,
    pub(crate) request_id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) mitra_id: Uuid,
    pub(crate) topic: Option<&'a str>,
    pub(crate) package: &'a Package,
    pub(crate) started_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) warned_seconds: Option<i32>,
}

/// Writes a session.
pub(crate) async fn insert(tx: &Tx<'_>, it: &NewSession<'_>) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status,
            topic, package, created_at, started_at, expires_at, warned_seconds)
        VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $7, $8, $9)";
    let package = package_json(it.package)?;
    tx.execute(
        SQL,
        &[
            &it.id,
            &it.request_id,
            &it.customer_id,
            &it.mitra_id,
            &it.topic,
            &package,
            &it.started_at,
            &it.expires_at,
            &it.warned_seconds,
        ],
    )
    .await?;
    Ok(())
}

/// A session of which this user is a side.
pub(crate) async fn find_of(
    query: &impl Query,
    user_id: Uuid,
    id: Uuid,
) -> Result<Option<SessionRow>, DbError> {
    const SQL: &str = select_sessions!("WHERE s.id = $1 AND $2 IN (s.customer_id, s.mitra_id)");
    query
        .row_opt(SQL, &[&id, &user_id])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// The sessions of these ids.
pub(crate) async fn find_all(query: &impl Query, ids: &[Uuid]) -> Result<Vec<SessionRow>, DbError> {
    const SQL: &str = select_sessions!("WHERE s.id = ANY($1)");
    query.rows(SQL, &[&ids]).await?.iter().map(read).collect()
}

/// Which of a user's sessions a page shows.
pub(crate) struct Listing {
    pub(crate) user_id: Uuid,
    pub(crate) role: Role,
    pub(crate) status: Option<SessionStatus>,
    pub(crate) before: Option<Uuid>,
    pub(crate) limit: i64,
}

/// A page of a user's sessions, newest first.
pub(crate) async fn list(
    query: &impl Query,
    listing: &Listing,
) -> Result<Vec<SessionRow>, DbError> {
    const OF_CUSTOMER: &str = select_sessions!(
        "WHERE s.customer_id = $1 AND ($2::text IS NULL OR s.status = $2)
            AND ($3::uuid IS NULL OR s.id < $3) ORDER BY s.id DESC LIMIT $4"
    );
    const OF_MITRA: &str = select_sessions!(
        "WHERE s.mitra_id = $1 AND ($2::text IS NULL OR s.status = $2)
            AND ($3::uuid IS NULL OR s.id < $3) ORDER BY s.id DESC LIMIT $4"
    );
    let sql = if listing.role == Role::Mitra {
        OF_MITRA
    } else {
        OF_CUSTOMER
    };
    let status = listing.status.map(SessionStatus::as_str);
    let rows = query
        .rows(
            sql,
            &[&listing.user_id, &status, &listing.before, &listing.limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// What decides about a session's next step.
pub(crate) struct Locked {
    pub(crate) status: SessionStatus,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Locks a session of this user until the transaction ends.
pub(crate) async fn lock_of(
    tx: &Tx<'_>,
    user_id: Uuid,
    id: Uuid,
) -> Result<Option<Locked>, DbError> {
    const SQL: &str = "SELECT status, expires_at FROM chat_sessions
        WHERE id = $1 AND $2 IN (customer_id, mitra_id) FOR UPDATE";
    let row = tx.row_opt(SQL, &[&id, &user_id]).await?;
    row.as_ref()
        .map(|row| {
            Ok(Locked {
                status: name(row, "status", SessionStatus::parse)?,
                expires_at: row.get("expires_at"),
            })
        })
        .transpose()
}

/// Ends a session that the caller has locked.
pub(crate) async fn end(
    tx: &Tx<'_>,
    id: Uuid,
    reason: EndReason,
    ended_at: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE chat_sessions
        SET status = 'ended', end_reason = $2, ended_at = $3, version = version + 1
        WHERE id = $1 AND status <> 'ended'";
    tx.execute(SQL, &[&id, &reason.as_str(), &ended_at]).await?;
    Ok(())
}

/// Ends the sessions whose time is over, at most `limit`; which, and whose mitras have a seat again.
pub(crate) async fn end_due(
    query: &impl Query,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(Uuid, Uuid)>, DbError> {
    const SQL: &str = "WITH due AS (
            SELECT id FROM chat_sessions WHERE status = 'active' AND expires_at <= $1
            ORDER BY expires_at, id LIMIT $2 FOR UPDATE
        ), ended AS (
            UPDATE chat_sessions s SET status = 'ended', end_reason = 'expired',
                ended_at = s.expires_at, version = s.version + 1
            FROM due WHERE s.id = due.id AND s.status = 'active' RETURNING s.id, s.mitra_id
        ), noted AS (
            INSERT INTO chat_events (session_id, event, actor, at)
            SELECT id, 'session_expired', 'system', $1 FROM ended
        )
        SELECT id, mitra_id FROM ended";
    let rows = query.rows(SQL, &[&now, &limit]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
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

/// Whether a customer has an open session.
pub(crate) async fn has_open(query: &impl Query, customer_id: Uuid) -> Result<bool, DbError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM chat_sessions
        WHERE customer_id = $1 AND status <> 'ended')";
    Ok(query.row(SQL, &[&customer_id]).await?.get(0))
}

/// How many open sessions a mitra has; holds while its seat is locked.
pub(crate) async fn count_open(tx: &Tx<'_>, mitra_id: Uuid) -> Result<i64, DbError> {
    const SQL: &str =
        "SELECT count(*) FROM chat_sessions WHERE mitra_id = $1 AND status <> 'ended'";
    Ok(tx.row(SQL, &[&mitra_id]).await?.get(0))
}

/// Open sessions of these mitras.
pub(crate) async fn load_of(
    query: &impl Query,
    mitra_ids: &[Uuid],
) -> Result<HashMap<Uuid, u32>, DbError> {
    const SQL: &str = "SELECT mitra_id, count(*) FROM chat_sessions
        WHERE mitra_id = ANY($1) AND status <> 'ended' GROUP BY mitra_id";
    Ok(loads(&query.rows(SQL, &[&mitra_ids]).await?))
}

/// Open sessions of every mitra that has any.
pub(crate) async fn load_of_all(query: &impl Query) -> Result<HashMap<Uuid, u32>, DbError> {
    const SQL: &str = "SELECT mitra_id, count(*) FROM chat_sessions
        WHERE status <> 'ended' GROUP BY mitra_id";
    Ok(loads(&query.rows(SQL, &[]).await?))
}

fn loads(rows: &[Row]) -> HashMap<Uuid, u32> {
    let load = |row: &Row| {
        (
            row.get(0),
            u32::try_from(row.get::<_, i64>(1)).unwrap_or(u32::MAX),
        )
    };
    rows.iter().map(load).collect()
}
