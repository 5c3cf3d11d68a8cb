//! Rows of `payment_webhooks`, `payment_strays` and `payment_audit`: what Xendit told, and how far what
//! was paid there has been compared.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row};
use uuid::Uuid;

/// Keeps a webhook, unless it was kept before. Returns whether it was not.
pub(crate) async fn insert(
    db: &impl Query,
    id: Uuid,
    webhook_id: Option<&str>,
    event_key: &str,
    body: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "INSERT INTO payment_webhooks (id, webhook_id, event_key, body, received_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let params: halobestie_core::pg::Params<'_> = &[&id, &webhook_id, &event_key, &body, &now];
    Ok(db.execute(SQL, params).await? == 1)
}

/// Opens again a webhook that was about nothing known here, now that it comes once more. Returns our id.
pub(crate) async fn reopen_unknown(
    db: &impl Query,
    event_key: &str,
    now: Timestamp,
) -> Result<Option<Uuid>, DbError> {
    const SQL: &str = "UPDATE payment_webhooks
        SET settled_at = NULL, outcome = NULL, received_at = $2
        WHERE event_key = $1 AND outcome = 'unknown' RETURNING id";
    let row = db.row_opt(SQL, &[&event_key, &now]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// A webhook that is not settled yet.
pub(crate) struct Unsettled {
    pub(crate) body: String,
    pub(crate) received_at: Timestamp,
}

/// A webhook that is not settled yet, by our id.
pub(crate) async fn find_unsettled(
    db: &impl Query,
    id: Uuid,
) -> Result<Option<Unsettled>, DbError> {
    const SQL: &str = "SELECT body, received_at FROM payment_webhooks
        WHERE id = $1 AND settled_at IS NULL";
    let row = db.row_opt(SQL, &[&id]).await?;
    Ok(row.map(|row| Unsettled {
        body: row.get(0),
        received_at: row.get(1),
    }))
}

/// Writes down what became of a webhook.
pub(crate) async fn settle(
    db: &impl Query,
    id: Uuid,
    outcome: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE payment_webhooks SET settled_at = $3, outcome = $2
        WHERE id = $1 AND settled_at IS NULL";
    db.execute(SQL, &[&id, &outcome, &now]).await?;
    Ok(())
}

/// Deletes settled webhooks from before; returns how many.
pub(crate) async fn delete_settled(
    db: &impl Query,
    before: Timestamp,
    limit: i64,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM payment_webhooks WHERE id IN (
        SELECT id FROM payment_webhooks
        WHERE received_at < $1 AND settled_at IS NOT NULL ORDER BY received_at LIMIT $2)";
    db.execute(SQL, &[&before, &limit]).await
}

/// Writes down an invoice that is paid at Xendit and unknown here. Returns whether it is news.
pub(crate) async fn note_stray(
    db: &impl Query,
    invoice_id: &str,
    external_id: &str,
    amount: Option<i64>,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "INSERT INTO payment_strays (invoice_id, external_id, amount, found_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let params: halobestie_core::pg::Params<'_> = &[&invoice_id, &external_id, &amount, &now];
    Ok(db.execute(SQL, params).await? == 1)
}

/// Begins to compare what was paid at Xendit, unless somebody began since `before`. Returns until when it
/// has been compared; `first` where it never was.
pub(crate) async fn begin_audit(
    db: &impl Query,
    before: Timestamp,
    first: Timestamp,
    now: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "INSERT INTO payment_audit (audited_until, begun_at) VALUES ($2, $3)
        ON CONFLICT (one) DO UPDATE SET begun_at = $3 WHERE payment_audit.begun_at <= $1
        RETURNING audited_until";
    let row = db.row_opt(SQL, &[&before, &first, &now]).await?;
    Ok(row.as_ref().map(|row: &Row| row.get(0)))
}

/// Writes down until when it has been compared; never goes back.
pub(crate) async fn end_audit(db: &impl Query, until: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "UPDATE payment_audit SET audited_until = greatest(audited_until, $1)";
    db.execute(SQL, &[&until]).await?;
    Ok(())
}
