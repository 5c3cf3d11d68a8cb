//! `chat_offers`: which mitra was asked for which request.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row, Tx};
use uuid::Uuid;

use super::{ids, name, package};
use crate::packages::Package;
use crate::pairing::RequestStatus;

/// An open offer.
#[derive(Clone, Debug)]
pub(crate) struct OfferRow {
    pub(crate) request_id: Uuid,
    pub(crate) mitra_id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) topic: Option<String>,
    pub(crate) package: Package,
    pub(crate) offered_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// What is left of the session that looks for another mitra by it.
    pub(crate) left_ms: Option<i64>,
}

macro_rules! select_open_offers {
    ($where:literal) => {
        concat!(
            "SELECT o.request_id, o.mitra_id, r.customer_id, r.topic, r.package, o.offered_at,
                r.expires_at,
                (SELECT s.paused_ms FROM chat_sessions s WHERE s.id = r.reroute_of) AS left_ms
            FROM chat_offers o JOIN chat_requests r ON r.id = o.request_id
            WHERE r.status = 'searching' AND r.expires_at > $2 AND o.declined_at IS NULL ",
            $where
        )
    };
}

fn read(row: &Row) -> Result<OfferRow, DbError> {
    Ok(OfferRow {
        request_id: row.get("request_id"),
        mitra_id: row.get("mitra_id"),
        customer_id: row.get("customer_id"),
        topic: row.get("topic"),
        package: package(row)?,
        offered_at: row.get("offered_at"),
        expires_at: row.get("expires_at"),
        left_ms: row.get("left_ms"),
    })
}

/// The open offers of a mitra, oldest first.
pub(crate) async fn open_of(
    query: &impl Query,
    mitra_id: Uuid,
    now: Timestamp,
) -> Result<Vec<OfferRow>, DbError> {
    const SQL: &str =
        select_open_offers!("AND o.mitra_id = $1 ORDER BY o.offered_at, r.id LIMIT 200");
    query
        .rows(SQL, &[&mitra_id, &now])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// The open offers of these requests, to whomever.
pub(crate) async fn open_of_requests(
    query: &impl Query,
    request_ids: &[Uuid],
    now: Timestamp,
) -> Result<Vec<OfferRow>, DbError> {
    const SQL: &str = select_open_offers!("AND o.request_id = ANY($1)");
    query
        .rows(SQL, &[&request_ids, &now])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Offers a request to these mitras.
pub(crate) async fn insert(
    tx: &Tx<'_>,
    request_id: Uuid,
    mitra_ids: &[Uuid],
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO chat_offers (request_id, mitra_id, offered_at)
        SELECT $1, mitra_id, $3 FROM unnest($2::uuid[]) AS mitra_id
        ON CONFLICT DO NOTHING";
    tx.execute(SQL, &[&request_id, &mitra_ids, &now]).await?;
    Ok(())
}

/// A mitra that has just been asked.
pub(crate) struct Asked {
    pub(crate) request_id: Uuid,
    pub(crate) mitra_id: Uuid,
    /// Until when it may accept.
    pub(crate) expires_at: Timestamp,
}

/// Offers every request that is open to everybody to those of these mitras that were not asked yet;
/// the requests and mitras that came together. Any number of processes may do it at once.
pub(crate) async fn insert_missing(
    query: &impl Query,
    mitra_ids: &[Uuid],
    now: Timestamp,
) -> Result<Vec<Asked>, DbError> {
    const SQL: &str = "WITH asked AS (
        INSERT INTO chat_offers (request_id, mitra_id, offered_at)
        SELECT r.id, m.id, $2 FROM chat_requests r CROSS JOIN unnest($1::uuid[]) AS m (id)
        WHERE r.status = 'searching' AND r.expires_at > $2
          AND (r.exclusive_until IS NULL OR r.exclusive_until <= $2)
          AND m.id <> ALL (r.excluded_mitra_ids)
          AND NOT EXISTS (SELECT 1 FROM chat_offers o WHERE o.request_id = r.id AND o.mitra_id = m.id)
        ON CONFLICT DO NOTHING
        RETURNING request_id, mitra_id)
        SELECT a.request_id, a.mitra_id, r.expires_at
        FROM asked a JOIN chat_requests r ON r.id = a.request_id";
    let rows = query.rows(SQL, &[&mitra_ids, &now]).await?;
    let asked = |row: &Row| Asked {
        request_id: row.get("request_id"),
        mitra_id: row.get("mitra_id"),
        expires_at: row.get("expires_at"),
    };
    Ok(rows.iter().map(asked).collect())
}

/// Whether there is a request open to everybody that was not offered to this mitra yet.
pub(crate) async fn any_missing(
    query: &impl Query,
    mitra_id: Uuid,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM chat_requests r
        WHERE r.status = 'searching' AND r.expires_at > $2
          AND (r.exclusive_until IS NULL OR r.exclusive_until <= $2)
          AND $1 <> ALL (r.excluded_mitra_ids)
          AND NOT EXISTS (SELECT 1 FROM chat_offers o WHERE o.request_id = r.id AND o.mitra_id = $1))";
    Ok(query.row(SQL, &[&mitra_id, &now]).await?.get(0))
}

/// Whether any request is open to everybody.
pub(crate) async fn any_open(query: &impl Query, now: Timestamp) -> Result<bool, DbError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM chat_requests
        WHERE status = 'searching' AND expires_at > $1
          AND (exclusive_until IS NULL OR exclusive_until <= $1))";
    Ok(query.row(SQL, &[&now]).await?.get(0))
}

/// An offer and what became of its request.
pub(crate) struct OfferState {
    pub(crate) status: RequestStatus,
    pub(crate) won_by: Option<Uuid>,
    pub(crate) session_id: Option<Uuid>,
}

/// An offer to this mitra, open or not.
pub(crate) async fn find(
    query: &impl Query,
    request_id: Uuid,
    mitra_id: Uuid,
) -> Result<Option<OfferState>, DbError> {
    const SQL: &str = "SELECT r.status, r.mitra_id, r.session_id
        FROM chat_offers o JOIN chat_requests r ON r.id = o.request_id
        WHERE o.request_id = $1 AND o.mitra_id = $2";
    let row = query.row_opt(SQL, &[&request_id, &mitra_id]).await?;
    row.as_ref()
        .map(|row| {
            Ok(OfferState {
                status: name(row, "status", RequestStatus::parse)?,
                won_by: row.get("mitra_id"),
                session_id: row.get("session_id"),
            })
        })
        .transpose()
}

/// Marks an offer as declined, once; false when there is no such offer.
pub(crate) async fn decline(
    tx: &Tx<'_>,
    request_id: Uuid,
    mitra_id: Uuid,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE chat_offers SET declined_at = coalesce(declined_at, $3)
        WHERE request_id = $1 AND mitra_id = $2";
    Ok(tx.execute(SQL, &[&request_id, &mitra_id, &now]).await? == 1)
}

/// Takes back the open offers of a mitra, as if it had not been asked: once it may work again it can be.
/// The requests.
pub(crate) async fn withdraw(tx: &Tx<'_>, mitra_id: Uuid) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "DELETE FROM chat_offers o USING chat_requests r
        WHERE o.mitra_id = $1 AND r.id = o.request_id AND r.status = 'searching'
          AND o.declined_at IS NULL
        RETURNING o.request_id";
    Ok(ids(&tx.rows(SQL, &[&mitra_id]).await?))
}

/// The mitras that still look at offers of these requests: the request, and the mitra.
pub(crate) async fn mitras_of_all(
    query: &impl Query,
    request_ids: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, DbError> {
    const SQL: &str = "SELECT request_id, mitra_id FROM chat_offers
        WHERE request_id = ANY($1) AND declined_at IS NULL";
    let rows = query.rows(SQL, &[&request_ids]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The mitras that still look at a request's offer.
pub(crate) async fn mitras_of(query: &impl Query, request_id: Uuid) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str =
        "SELECT mitra_id FROM chat_offers WHERE request_id = $1 AND declined_at IS NULL";
    Ok(ids(&query.rows(SQL, &[&request_id]).await?))
}
