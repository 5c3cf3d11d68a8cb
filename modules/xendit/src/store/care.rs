//! What the doctor looks at.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};
use uuid::Uuid;

/// How many payments were paid since then, and how many webhooks were taken in.
pub(crate) async fn paid_and_told(
    db: &impl Query,
    since: Timestamp,
) -> Result<(i64, i64), DbError> {
    const SQL: &str = "SELECT
        (SELECT count(*) FROM payments WHERE paid_at >= $1),
        (SELECT count(*) FROM payment_webhooks WHERE received_at >= $1)";
    let row = db.row(SQL, &[&since]).await?;
    Ok((row.get(0), row.get(1)))
}

/// A payment that waits for somebody: its id, the reason, since when.
pub(crate) type Waiting = (Uuid, String, Timestamp);

/// Payments that wait for somebody to look at them, the oldest first.
pub(crate) async fn for_review(db: &impl Query, limit: i64) -> Result<Vec<Waiting>, DbError> {
    const SQL: &str = "SELECT id, coalesce(review_reason, ''), updated_at FROM payments
        WHERE status = 'needs_review' ORDER BY updated_at LIMIT $1";
    let rows = db.rows(SQL, &[&limit]).await?;
    let read = |row: &halobestie_core::pg::Row| (row.get(0), row.get(1), row.get(2));
    Ok(rows.iter().map(read).collect())
}
