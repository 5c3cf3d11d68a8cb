//! `chat_sessions`, read. What changes one is in `transitions`.

use std::collections::HashMap;

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row, Tx};
use halobestie_core::ports::Role;
use uuid::Uuid;

use super::{name, package};
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
    /// What is left while the clock stands for a reroute.
    pub(crate) paused_ms: Option<i64>,
    /// What happened to it last.
    pub(crate) last_change: Option<String>,
    pub(crate) last_seq: i64,
    pub(crate) version: i64,
    pub(crate) customer_unread: i64,
    pub(crate) mitra_unread: i64,
}

macro_rules! select_sessions {
    ($where:literal) => {
        concat!(
            "SELECT s.id, s.customer_id, s.mitra_id, s.status, s.topic, s.package, s.started_at,
                s.expires_at, s.ended_at, s.end_reason, s.paused_ms, s.last_change, s.last_seq,
                s.version,
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
        paused_ms: row.get("paused_ms"),
        last_change: row.get("last_change"),
        last_seq: row.get("last_seq"),
        version: row.get("version"),
        customer_unread: row.get("customer_unread"),
        mitra_unread: row.get("mitra_unread"),
    })
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
