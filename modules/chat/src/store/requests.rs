//! `chat_requests`.

use std::collections::{HashMap, HashSet};

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row, Tx};
use uuid::Uuid;

use super::{ids, name, package, package_json};
use crate::packages::Package;
use crate::pairing::RequestStatus;

/// A request as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct RequestRow {
    pub(crate) id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) status: RequestStatus,
    pub(crate) topic: Option<String>,
    pub(crate) package: Package,
    pub(crate) offered_to: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) session_id: Option<Uuid>,
    /// The session that looks for another mitra by it; then it is not its customer's to see.
    pub(crate) reroute_of: Option<Uuid>,
}

macro_rules! select_requests {
    ($where:literal) => {
        concat!(
            "SELECT r.id, r.customer_id, r.status, r.topic, r.package, r.created_at, r.expires_at,
                r.session_id, r.reroute_of, r.offered_to::bigint
            FROM chat_requests r ",
            $where
        )
    };
}

fn read(row: &Row) -> Result<RequestRow, DbError> {
    Ok(RequestRow {
        id: row.get("id"),
        customer_id: row.get("customer_id"),
        status: name(row, "status", RequestStatus::parse)?,
        topic: row.get("topic"),
        package: package(row)?,
        offered_to: row.get("offered_to"),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        session_id: row.get("session_id"),
        reroute_of: row.get("reroute_of"),
    })
}

/// A request to be written.
pub(crate) struct NewRequest<'a> {
    pub(crate) id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) topic: Option<&'a str>,
    pub(crate) package: &'a Package,
    pub(crate) preferred_mitra_id: Option<Uuid>,
    pub(crate) exclusive_until: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Writes a request; false when the customer has an open one.
pub(crate) async fn insert(tx: &Tx<'_>, it: &NewRequest<'_>) -> Result<bool, DbError> {
    const SQL: &str = "INSERT INTO chat_requests (id, customer_id, status, topic, package,
            preferred_mitra_id, exclusive_until, created_at, expires_at)
        VALUES ($1, $2, 'searching', $3, $4, $5, $6, $7, $8)
        ON CONFLICT (customer_id) WHERE status = 'searching' DO NOTHING";
    let package = package_json(it.package)?;
    let written = tx
        .execute(
            SQL,
            &[
                &it.id,
                &it.customer_id,
                &it.topic,
                &package,
                &it.preferred_mitra_id,
                &it.exclusive_until,
                &it.created_at,
                &it.expires_at,
            ],
        )
        .await?;
    Ok(written == 1)
}

/// A request of this customer.
pub(crate) async fn find_of(
    query: &impl Query,
    customer_id: Uuid,
    id: Uuid,
) -> Result<Option<RequestRow>, DbError> {
    const SQL: &str =
        select_requests!("WHERE r.id = $1 AND r.customer_id = $2 AND r.reroute_of IS NULL");
    query
        .row_opt(SQL, &[&id, &customer_id])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// The requests of these ids.
pub(crate) async fn find_all(query: &impl Query, ids: &[Uuid]) -> Result<Vec<RequestRow>, DbError> {
    const SQL: &str = select_requests!("WHERE r.id = ANY($1)");
    query.rows(SQL, &[&ids]).await?.iter().map(read).collect()
}

/// Takes a request back while it is open.
pub(crate) async fn cancel(
    tx: &Tx<'_>,
    customer_id: Uuid,
    id: Uuid,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE chat_requests SET status = 'cancelled', closed_at = $3
        WHERE id = $1 AND customer_id = $2 AND status = 'searching' AND expires_at > $3
          AND reroute_of IS NULL";
    Ok(tx.execute(SQL, &[&id, &customer_id, &now]).await? == 1)
}

/// A session's search for another mitra.
pub(crate) struct NewSearch<'a> {
    pub(crate) id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) topic: Option<&'a str>,
    pub(crate) package: &'a Package,
    pub(crate) excluded_mitra_ids: &'a [Uuid],
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Writes the request by which a session looks for another mitra: its first wave is due at once.
pub(crate) async fn insert_search(tx: &Tx<'_>, it: &NewSearch<'_>) -> Result<(), DbError> {
    const SQL: &str =
        "INSERT INTO chat_requests (id, reroute_of, customer_id, status, topic, package,
            excluded_mitra_ids, exclusive_until, created_at, expires_at)
        VALUES ($1, $2, $3, 'searching', $4, $5, $6, $7, $7, $8)";
    let package = package_json(it.package)?;
    tx.execute(
        SQL,
        &[
            &it.id,
            &it.session_id,
            &it.customer_id,
            &it.topic,
            &package,
            &it.excluded_mitra_ids,
            &it.created_at,
            &it.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Closes the search of a session that the caller has locked and ends; which it was.
pub(crate) async fn close_search(
    tx: &Tx<'_>,
    session_id: Uuid,
    status: RequestStatus,
    now: Timestamp,
) -> Result<Option<Uuid>, DbError> {
    const SQL: &str = "UPDATE chat_requests SET status = $2, closed_at = $3
        WHERE reroute_of = $1 AND status = 'searching' RETURNING id";
    let row = tx
        .row_opt(SQL, &[&session_id, &status.as_str(), &now])
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// What a mitra has won.
pub(crate) struct Claimed {
    pub(crate) customer_id: Uuid,
    pub(crate) topic: Option<String>,
    pub(crate) package: Package,
}

/// The one claim on a request: whoever's statement changes the row has won it. `session_id` is the session
/// that comes of it, or that looks for another mitra by it.
pub(crate) async fn claim(
    tx: &Tx<'_>,
    id: Uuid,
    mitra_id: Uuid,
    session_id: Uuid,
    now: Timestamp,
) -> Result<Option<Claimed>, DbError> {
    const SQL: &str = "UPDATE chat_requests
        SET status = 'matched', closed_at = $4, mitra_id = $2, session_id = $3
        WHERE id = $1 AND status = 'searching' AND expires_at > $4
          AND $2 <> ALL (excluded_mitra_ids)
        RETURNING customer_id, topic, package";
    let row = tx
        .row_opt(SQL, &[&id, &mitra_id, &session_id, &now])
        .await?;
    row.as_ref()
        .map(|row| {
            Ok(Claimed {
                customer_id: row.get("customer_id"),
                topic: row.get("topic"),
                package: package(row)?,
            })
        })
        .transpose()
}

/// Ends the search of requests whose time is over, at most `limit`; which.
pub(crate) async fn expire_due(
    query: &impl Query,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "WITH due AS (
            SELECT id FROM chat_requests WHERE status = 'searching' AND expires_at <= $1
            ORDER BY expires_at, id LIMIT $2 FOR UPDATE
        ), expired AS (
            UPDATE chat_requests r SET status = 'expired', closed_at = r.expires_at
            FROM due WHERE r.id = due.id AND r.status = 'searching' RETURNING r.id
        ), noted AS (
            INSERT INTO chat_events (request_id, event, actor, at)
            SELECT id, 'request_expired', 'system', $1 FROM expired
        )
        SELECT id FROM expired";
    Ok(ids(&query.rows(SQL, &[&now, &limit]).await?))
}

/// Those of these requests that can still be accepted.
pub(crate) async fn still_open(
    query: &impl Query,
    request_ids: &[Uuid],
    now: Timestamp,
) -> Result<HashSet<Uuid>, DbError> {
    const SQL: &str = "SELECT id FROM chat_requests
        WHERE id = ANY($1) AND status = 'searching' AND expires_at > $2";
    let rows = query.rows(SQL, &[&request_ids, &now]).await?;
    Ok(ids(&rows).into_iter().collect())
}

/// Until when these requests can be accepted.
pub(crate) async fn ends_of(
    query: &impl Query,
    request_ids: &[Uuid],
) -> Result<HashMap<Uuid, Timestamp>, DbError> {
    const SQL: &str = "SELECT id, expires_at FROM chat_requests WHERE id = ANY($1)";
    let rows = query.rows(SQL, &[&request_ids]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Locks a request until the transaction ends, so that answers to its offers follow each other.
pub(crate) async fn lock(tx: &Tx<'_>, id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "SELECT 1 FROM chat_requests WHERE id = $1 FOR NO KEY UPDATE";
    tx.execute(SQL, &[&id]).await?;
    Ok(())
}

/// Ends the time in which nobody else is asked, for those of these locked requests about which none of
/// the asked still thinks; for how many.
pub(crate) async fn end_waiting(tx: &Tx<'_>, ids: &[Uuid], now: Timestamp) -> Result<u64, DbError> {
    const SQL: &str = "UPDATE chat_requests r SET exclusive_until = $2
        WHERE r.id = ANY($1) AND r.status = 'searching' AND r.exclusive_until > $2
          AND NOT EXISTS (SELECT 1 FROM chat_offers o
              WHERE o.request_id = r.id AND o.declined_at IS NULL)";
    tx.execute(SQL, &[&ids, &now]).await
}

/// When the oldest request that is open was made.
pub(crate) async fn oldest_open(
    query: &impl Query,
    now: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT min(created_at) FROM chat_requests
        WHERE status = 'searching' AND expires_at > $1";
    Ok(query.row(SQL, &[&now]).await?.get(0))
}
