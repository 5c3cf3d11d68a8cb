//! Everybody's requests, as admins see them.

use halobestie_core::pg::{DbError, Params, Query, Row};
use halobestie_core::ports::{OverseenOffer, OverseenRequest, RequestFilter, Window};
use uuid::Uuid;

macro_rules! select_requests {
    ($($where:literal),+) => {
        concat!(
            "SELECT r.id, r.customer_id, r.status, r.topic, r.package, r.preferred_mitra_id,
                r.offered_to::bigint AS offered_to, r.created_at, r.expires_at, r.closed_at,
                r.mitra_id, r.session_id, r.reroute_of,
                (SELECT count(*) FROM chat_offers o
                  WHERE o.request_id = r.id AND o.declined_at IS NOT NULL) AS declined
            FROM chat_requests r WHERE ",
            $($where),+
        )
    };
}

macro_rules! page_of_requests {
    ($among:literal, $order:literal) => {
        select_requests!(
            $among,
            "($1::text IS NULL OR r.status = $1)
            AND ($2::uuid[] IS NULL OR r.customer_id = ANY($2))
            AND ($3::uuid[] IS NULL OR EXISTS (SELECT 1 FROM chat_offers o
                  WHERE o.request_id = r.id AND o.mitra_id = ANY($3)))
            AND r.id > $4 AND r.id < $5",
            $order
        )
    };
}

/// A page of requests.
pub(crate) async fn list(
    db: &impl Query,
    filter: &RequestFilter,
    window: Window,
) -> Result<Vec<OverseenRequest>, DbError> {
    const LATEST: &str = page_of_requests!("", " ORDER BY r.id DESC LIMIT $6");
    const OLDEST: &str = page_of_requests!("", " ORDER BY r.id LIMIT $6");
    const SEARCHING: &str = page_of_requests!(
        "r.status = 'searching' AND ",
        " ORDER BY r.id DESC LIMIT $6"
    );
    let sql = match (filter.status.as_deref(), window.oldest_first) {
        (Some("searching"), false) => SEARCHING,
        (_, false) => LATEST,
        (_, true) => OLDEST,
    };
    let (lower, upper) = window.bounds();
    let params: Params<'_> = &[
        &filter.status,
        &filter.customer_ids,
        &filter.offered_to,
        &lower,
        &upper,
        &window.limit,
    ];
    Ok(db.rows(sql, params).await?.iter().map(read).collect())
}

/// One request.
pub(crate) async fn find(db: &impl Query, id: Uuid) -> Result<Option<OverseenRequest>, DbError> {
    const SQL: &str = select_requests!("r.id = $1");
    Ok(db.row_opt(SQL, &[&id]).await?.as_ref().map(read))
}

fn read(row: &Row) -> OverseenRequest {
    OverseenRequest {
        id: row.get("id"),
        customer_id: row.get("customer_id"),
        status: row.get("status"),
        topic: row.get("topic"),
        package: row.get("package"),
        preferred_mitra_id: row.get("preferred_mitra_id"),
        offered_to: row.get("offered_to"),
        declined: row.get("declined"),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        closed_at: row.get("closed_at"),
        winner_id: row.get("mitra_id"),
        session_id: row.get("session_id"),
        reroute_of: row.get("reroute_of"),
    }
}

/// To whom a request was offered, in that order.
pub(crate) async fn offers(
    db: &impl Query,
    request_id: Uuid,
) -> Result<Vec<OverseenOffer>, DbError> {
    const SQL: &str = "SELECT mitra_id, offered_at, declined_at FROM chat_offers
        WHERE request_id = $1 ORDER BY offered_at, mitra_id LIMIT 1000";
    let rows = db.rows(SQL, &[&request_id]).await?;
    let offers = rows.iter().map(|row| OverseenOffer {
        mitra_id: row.get("mitra_id"),
        offered_at: row.get("offered_at"),
        declined_at: row.get("declined_at"),
    });
    Ok(offers.collect())
}
