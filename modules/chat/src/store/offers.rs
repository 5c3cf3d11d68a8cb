//! `chat_offers`: which mitra was asked for which request.
//!
//! What makes or withdraws offers locks the requests' rows first, in the order of their end, and counts
//! `offered_to` in the same statement. What makes or reads them leaves blocked pairs out, and what makes them
//! whoever had the session that looks for another mitra.

use std::collections::HashSet;

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row, Tx};
use uuid::Uuid;

use super::blocks::unless_blocked;
use super::{name, package};
use crate::packages::Package;
use crate::pairing::RequestStatus;

/// How many open offers a mitra is shown.
const OFFERS_MAX: i64 = 200;

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

/// Open offers of `$from`, which names `chat_offers` as `o`; `$1` is now.
macro_rules! select_open_offers {
    ($from:literal, $where:literal) => {
        concat!(
            "SELECT o.request_id, o.mitra_id, r.customer_id, r.topic, r.package, o.offered_at,
                r.expires_at,
                (SELECT s.paused_ms FROM chat_sessions s WHERE s.id = r.reroute_of) AS left_ms
            FROM ",
            $from,
            " JOIN chat_requests r ON r.id = o.request_id
            WHERE r.status = 'searching' AND r.expires_at > $1 AND o.declined_at IS NULL AND",
            unless_blocked!("r.customer_id", "o.mitra_id"),
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

/// The open offers of these mitras, oldest first; of many mitras as many as [`OFFERS_MAX`] of each.
pub(crate) async fn open_of(
    query: &impl Query,
    mitra_ids: &[Uuid],
    now: Timestamp,
) -> Result<Vec<OfferRow>, DbError> {
    const SQL: &str = select_open_offers!(
        "chat_offers o",
        "AND o.mitra_id = ANY($2) ORDER BY o.offered_at, r.id LIMIT $3"
    );
    let limit = OFFERS_MAX * i64::try_from(mitra_ids.len()).unwrap_or(1);
    let rows = query.rows(SQL, &[&now, &mitra_ids, &limit]).await?;
    rows.iter().map(read).collect()
}

/// A request and a mitra that was asked for it.
pub(crate) type Asked = (Uuid, Uuid);

/// Reads them.
pub(super) fn asked(rows: &[Row]) -> Vec<Asked> {
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Those of these offers that are open.
pub(crate) async fn open_among(
    query: &impl Query,
    offers: &[Asked],
    now: Timestamp,
) -> Result<Vec<OfferRow>, DbError> {
    const SQL: &str = select_open_offers!(
        "unnest($2::uuid[], $3::uuid[]) AS these (request_id, mitra_id)
            JOIN chat_offers o USING (request_id, mitra_id)",
        ""
    );
    let (requests, mitras): (Vec<Uuid>, Vec<Uuid>) = offers.iter().copied().unzip();
    let rows = query.rows(SQL, &[&now, &requests, &mitras]).await?;
    rows.iter().map(read).collect()
}

/// Offers a request to its first mitras, in the transaction that makes it.
pub(crate) async fn insert(
    tx: &Tx<'_>,
    request_id: Uuid,
    mitra_ids: &[Uuid],
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "WITH asked AS (
            INSERT INTO chat_offers (request_id, mitra_id, offered_at)
            SELECT $1, mitra_id, $3 FROM unnest($2::uuid[]) AS mitra_id
            ON CONFLICT DO NOTHING RETURNING 1
        )
        UPDATE chat_requests SET offered_to = offered_to + (SELECT count(*) FROM asked)
        WHERE id = $1";
    tx.execute(SQL, &[&request_id, &mitra_ids, &now]).await?;
    Ok(())
}

/// Offers those of these requests that are open to everybody to those of these mitras that were not
/// asked yet; the requests and mitras that came together. Any number of processes may do it at once.
pub(crate) async fn insert_missing(
    query: &impl Query,
    request_ids: &[Uuid],
    mitra_ids: &[Uuid],
    now: Timestamp,
) -> Result<Vec<Asked>, DbError> {
    const SQL: &str = concat!(
        "WITH open AS (
            SELECT r.id, r.customer_id, r.excluded_mitra_ids FROM chat_requests r
            WHERE r.id = ANY($1) AND r.status = 'searching' AND r.expires_at > $3
              AND (r.exclusive_until IS NULL OR r.exclusive_until <= $3)
            ORDER BY r.expires_at, r.id FOR NO KEY UPDATE
        ), asked AS (
            INSERT INTO chat_offers (request_id, mitra_id, offered_at)
            SELECT r.id, m.id, $3 FROM open r CROSS JOIN unnest($2::uuid[]) AS m (id)
            WHERE m.id <> ALL (r.excluded_mitra_ids)
              AND NOT EXISTS (SELECT 1 FROM chat_offers o
                    WHERE o.request_id = r.id AND o.mitra_id = m.id)
              AND",
        unless_blocked!("r.customer_id", "m.id"),
        "ON CONFLICT DO NOTHING
            RETURNING request_id, mitra_id
        ), counted AS (
            UPDATE chat_requests r SET offered_to = r.offered_to + n.mitras
            FROM (SELECT request_id, count(*) AS mitras FROM asked GROUP BY request_id) n
            WHERE r.id = n.request_id
        )
        SELECT request_id, mitra_id FROM asked"
    );
    let rows = query.rows(SQL, &[&request_ids, &mitra_ids, &now]).await?;
    Ok(asked(&rows))
}

/// The requests open to everybody that were not offered to these mitras yet.
pub(crate) async fn missing_of(
    query: &impl Query,
    mitra_ids: &[Uuid],
    now: Timestamp,
) -> Result<Vec<Asked>, DbError> {
    const SQL: &str = concat!(
        "SELECT it.id, mitra.id FROM unnest($1::uuid[]) AS mitra (id)
        CROSS JOIN LATERAL (SELECT r.id FROM chat_requests r
            WHERE r.status = 'searching' AND r.expires_at > $2
              AND (r.exclusive_until IS NULL OR r.exclusive_until <= $2)
              AND mitra.id <> ALL (r.excluded_mitra_ids)
              AND NOT EXISTS (SELECT 1 FROM chat_offers o
                  WHERE o.request_id = r.id AND o.mitra_id = mitra.id)
              AND",
        unless_blocked!("r.customer_id", "mitra.id"),
        "ORDER BY r.expires_at, r.id LIMIT $3) it"
    );
    let rows = query.rows(SQL, &[&mitra_ids, &now, &OFFERS_MAX]).await?;
    Ok(asked(&rows))
}

/// An offer and what became of its request.
pub(crate) struct OfferState {
    pub(crate) status: RequestStatus,
    pub(crate) won_by: Option<Uuid>,
    pub(crate) session_id: Option<Uuid>,
    /// The session that looks for another mitra by it; a request never changes it.
    pub(crate) reroute_of: Option<Uuid>,
}

/// An offer to this mitra, open or not. To a pair that was blocked since it was never made, unless it
/// has led to a session before.
pub(crate) async fn find(
    query: &impl Query,
    request_id: Uuid,
    mitra_id: Uuid,
) -> Result<Option<OfferState>, DbError> {
    const SQL: &str = concat!(
        "SELECT r.status, r.mitra_id, r.session_id, r.reroute_of
        FROM chat_offers o JOIN chat_requests r ON r.id = o.request_id
        WHERE o.request_id = $1 AND o.mitra_id = $2 AND (r.mitra_id = $2 OR",
        unless_blocked!("r.customer_id", "o.mitra_id"),
        ")"
    );
    let row = query.row_opt(SQL, &[&request_id, &mitra_id]).await?;
    row.as_ref()
        .map(|row| {
            Ok(OfferState {
                status: name(row, "status", RequestStatus::parse)?,
                won_by: row.get("mitra_id"),
                session_id: row.get("session_id"),
                reroute_of: row.get("reroute_of"),
            })
        })
        .transpose()
}

/// What became of a request that is over, for everybody to whom it was offered.
pub(crate) struct Over {
    status: RequestStatus,
    won_by: Option<Uuid>,
    session_id: Option<Uuid>,
    mitras: HashSet<Uuid>,
}

impl Over {
    #[cfg(test)]
    pub(crate) fn new(
        status: RequestStatus,
        won_by: Option<Uuid>,
        session_id: Option<Uuid>,
        mitras: impl IntoIterator<Item = Uuid>,
    ) -> Self {
        Self {
            status,
            won_by,
            session_id,
            mitras: mitras.into_iter().collect(),
        }
    }

    /// As [`find`] has it for one mitra.
    pub(crate) fn of(&self, mitra_id: Uuid) -> Option<OfferState> {
        self.mitras.contains(&mitra_id).then_some(OfferState {
            status: self.status,
            won_by: self.won_by,
            session_id: self.session_id,
            reroute_of: None,
        })
    }
}

/// A request that is over, with the mitras for whom [`find`] finds an offer.
pub(crate) async fn over(query: &impl Query, request_id: Uuid) -> Result<Option<Over>, DbError> {
    const SQL: &str = concat!(
        "SELECT r.status, r.mitra_id, r.session_id,
            ARRAY(SELECT o.mitra_id FROM chat_offers o
                WHERE o.request_id = r.id AND (r.mitra_id = o.mitra_id OR",
        unless_blocked!("r.customer_id", "o.mitra_id"),
        ")) AS mitras
        FROM chat_requests r WHERE r.id = $1 AND r.status <> 'searching'"
    );
    let row = query.row_opt(SQL, &[&request_id]).await?;
    row.as_ref()
        .map(|row| {
            let mitras: Vec<Uuid> = row.get("mitras");
            Ok(Over {
                status: name(row, "status", RequestStatus::parse)?,
                won_by: row.get("mitra_id"),
                session_id: row.get("session_id"),
                mitras: mitras.into_iter().collect(),
            })
        })
        .transpose()
}

/// What a decline has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declined {
    /// The offer, which was open until now.
    Now,
    /// Nothing: it was declined before.
    Before,
}

/// Marks an offer as declined, once; `None` when there is no such offer. The request is locked.
pub(crate) async fn decline(
    tx: &Tx<'_>,
    request_id: Uuid,
    mitra_id: Uuid,
    now: Timestamp,
) -> Result<Option<Declined>, DbError> {
    const SQL: &str = "WITH declined AS (
            UPDATE chat_offers SET declined_at = $3
            WHERE request_id = $1 AND mitra_id = $2 AND declined_at IS NULL RETURNING 1
        )
        SELECT EXISTS (SELECT 1 FROM declined) FROM chat_offers
        WHERE request_id = $1 AND mitra_id = $2";
    let row = tx.row_opt(SQL, &[&request_id, &mitra_id, &now]).await?;
    Ok(row.map(|row| match row.get(0) {
        true => Declined::Now,
        false => Declined::Before,
    }))
}

/// The mitras that still look at offers of these requests: the request, and the mitra.
pub(crate) async fn mitras_of_all(
    query: &impl Query,
    request_ids: &[Uuid],
) -> Result<Vec<Asked>, DbError> {
    const SQL: &str = "SELECT request_id, mitra_id FROM chat_offers
        WHERE request_id = ANY($1) AND declined_at IS NULL";
    Ok(asked(&query.rows(SQL, &[&request_ids]).await?))
}

/// The mitras that still look at a request's offer.
pub(crate) async fn mitras_of(query: &impl Query, request_id: Uuid) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str =
        "SELECT mitra_id FROM chat_offers WHERE request_id = $1 AND declined_at IS NULL";
    Ok(super::ids(&query.rows(SQL, &[&request_id]).await?))
}
