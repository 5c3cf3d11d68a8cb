//! Everybody's payments, as admins see them.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Params, Query, Row};
use halobestie_core::ports::{OverseenPayment, Paid, Payment, PaymentFilter, Window};
use halobestie_core::ports::{PaymentStatus, Purpose};
use uuid::Uuid;

macro_rules! select_payments {
    ($where:literal) => {
        concat!(
            "SELECT p.id, p.session_id, p.purpose, p.status, p.amount, p.invoice_url, p.expires_at,
                p.paid_at, p.customer_id, p.description, p.invoice_id, p.paid_amount,
                p.review_reason, p.created_at,
                (SELECT coalesce(sum(r.amount), 0)::bigint FROM refunds r
                  WHERE r.payment_id = p.id AND r.status <> 'failed') AS refunded_amount
            FROM payments p WHERE ",
            $where
        )
    };
}

const UNREADABLE: DbError = DbError::Content("a payment that cannot be read");

/// A page of payments.
pub(crate) async fn list(
    db: &impl Query,
    filter: &PaymentFilter,
    window: Window,
) -> Result<Vec<OverseenPayment>, DbError> {
    const LATEST: &str = select_payments!(
        "($1::text IS NULL OR p.status = $1) AND ($2::uuid[] IS NULL OR p.customer_id = ANY($2))
            AND ($3::uuid IS NULL OR p.session_id = $3)
            AND p.id > $4 AND p.id < $5 ORDER BY p.id DESC LIMIT $6"
    );
    const OLDEST: &str = select_payments!(
        "($1::text IS NULL OR p.status = $1) AND ($2::uuid[] IS NULL OR p.customer_id = ANY($2))
            AND ($3::uuid IS NULL OR p.session_id = $3)
            AND p.id > $4 AND p.id < $5 ORDER BY p.id LIMIT $6"
    );
    let sql = if window.oldest_first { OLDEST } else { LATEST };
    let (lower, upper) = window.bounds();
    let params: Params<'_> = &[
        &filter.status.map(PaymentStatus::as_str),
        &filter.customer_ids,
        &filter.session_id,
        &lower,
        &upper,
        &window.limit,
    ];
    db.rows(sql, params).await?.iter().map(read).collect()
}

/// One payment.
pub(crate) async fn find(db: &impl Query, id: Uuid) -> Result<Option<OverseenPayment>, DbError> {
    const SQL: &str = select_payments!("p.id = $1");
    db.row_opt(SQL, &[&id])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

fn read(row: &Row) -> Result<OverseenPayment, DbError> {
    let (paid_amount, refunded_amount): (i64, i64) =
        (row.get("paid_amount"), row.get("refunded_amount"));
    Ok(OverseenPayment {
        payment: Payment {
            id: row.get("id"),
            session_id: row.get("session_id"),
            purpose: Purpose::parse(row.get("purpose")).ok_or(UNREADABLE)?,
            status: PaymentStatus::parse(row.get("status")).ok_or(UNREADABLE)?,
            amount: row.get("amount"),
            currency: "IDR".to_owned(),
            invoice_url: row.get("invoice_url"),
            expires_at: row.get("expires_at"),
            paid_at: row.get("paid_at"),
        },
        customer_id: row.get("customer_id"),
        description: row.get("description"),
        invoice_id: row.get("invoice_id"),
        paid_amount,
        refunded_amount,
        refundable: (paid_amount - refunded_amount).max(0),
        review_reason: row.get("review_reason"),
        created_at: row.get("created_at"),
    })
}

/// What was paid from `since` to before `until`.
pub(crate) async fn paid(
    db: &impl Query,
    since: Timestamp,
    until: Timestamp,
) -> Result<Paid, DbError> {
    const SQL: &str = "SELECT count(*) AS count, coalesce(sum(paid_amount), 0)::bigint AS amount
        FROM payments WHERE paid_at >= $1 AND paid_at < $2";
    let row = db.row(SQL, &[&since, &until]).await?;
    Ok(Paid {
        count: row.get("count"),
        amount: row.get("amount"),
    })
}

/// An event of Xendit's about a payment or one of its refunds.
pub(crate) struct Heard {
    pub(crate) at: Timestamp,
    pub(crate) event_key: String,
    /// What became of it; null until it is read.
    pub(crate) outcome: Option<String>,
    pub(crate) body: String,
}

/// What was heard of a payment, oldest first, as far as it is kept.
pub(crate) async fn heard(db: &impl Query, payment_id: Uuid) -> Result<Vec<Heard>, DbError> {
    // A key ends with what happened; `0` is the letter after `/`.
    const SQL: &str = "WITH about (prefix) AS (
            SELECT 'invoice/' || invoice_id FROM payments WHERE id = $1 AND invoice_id IS NOT NULL
            UNION SELECT 'invoice/' || invoice_id FROM payment_receipts WHERE payment_id = $1
            UNION SELECT 'refund/' || refund_id FROM refunds
                   WHERE payment_id = $1 AND refund_id IS NOT NULL
        )
        SELECT w.received_at, w.event_key, w.outcome, w.body
          FROM about JOIN payment_webhooks w
            ON w.event_key ~>=~ (about.prefix || '/') AND w.event_key ~<~ (about.prefix || '0')
         ORDER BY w.received_at, w.id LIMIT 500";
    let rows = db.rows(SQL, &[&payment_id]).await?;
    let heard = rows.iter().map(|row| Heard {
        at: row.get("received_at"),
        event_key: row.get("event_key"),
        outcome: row.get("outcome"),
        body: row.get("body"),
    });
    Ok(heard.collect())
}

/// Money that came in for a payment.
pub(crate) struct Received {
    pub(crate) at: Timestamp,
    pub(crate) amount: i64,
    /// `EWALLET`, `QR_CODE`, …
    pub(crate) method: Option<String>,
}

/// Every time that money came in for a payment, oldest first.
pub(crate) async fn received(db: &impl Query, payment_id: Uuid) -> Result<Vec<Received>, DbError> {
    const SQL: &str = "SELECT recorded_at, amount, method FROM payment_receipts
        WHERE payment_id = $1 ORDER BY id LIMIT 100";
    let rows = db.rows(SQL, &[&payment_id]).await?;
    let received = rows.iter().map(|row| Received {
        at: row.get("recorded_at"),
        amount: row.get("amount"),
        method: row.get("method"),
    });
    Ok(received.collect())
}
