//! Takes offers back: the requests are locked first, as by whoever makes offers.

use halobestie_core::pg::{DbError, Query, Tx};
use uuid::Uuid;

use super::ids;
use super::offers::{Asked, asked};

/// Whose offers are withdrawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Withdrawn<'a> {
    pub(crate) mitra_ids: &'a [Uuid],
    /// Only those of this customer's requests.
    pub(crate) customer_id: Option<Uuid>,
}

/// Locks the open requests that are offered to them, in the order of their end.
pub(crate) async fn lock_requests_of(
    tx: &Tx<'_>,
    these: Withdrawn<'_>,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT r.id FROM chat_requests r
        WHERE r.status = 'searching' AND ($2::uuid IS NULL OR r.customer_id = $2)
          AND EXISTS (SELECT 1 FROM chat_offers o WHERE o.request_id = r.id
              AND o.mitra_id = ANY($1) AND o.declined_at IS NULL)
        ORDER BY r.expires_at, r.id FOR NO KEY UPDATE OF r";
    let rows = tx
        .rows(SQL, &[&these.mitra_ids, &these.customer_id])
        .await?;
    Ok(ids(&rows))
}

/// Takes back the offers of these locked requests to these mitras, as if they had not been asked: they
/// can be asked again. A declined one stays: it was an answer.
pub(crate) async fn withdraw(
    tx: &Tx<'_>,
    request_ids: &[Uuid],
    mitra_ids: &[Uuid],
) -> Result<Vec<Asked>, DbError> {
    const SQL: &str = "WITH withdrawn AS (
            DELETE FROM chat_offers WHERE request_id = ANY($1) AND mitra_id = ANY($2)
                AND declined_at IS NULL
            RETURNING request_id, mitra_id
        ), counted AS (
            UPDATE chat_requests r SET offered_to = r.offered_to - n.mitras
            FROM (SELECT request_id, count(*) AS mitras FROM withdrawn GROUP BY request_id) n
            WHERE r.id = n.request_id
        )
        SELECT request_id, mitra_id FROM withdrawn";
    Ok(asked(&tx.rows(SQL, &[&request_ids, &mitra_ids]).await?))
}
