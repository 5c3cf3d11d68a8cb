//! Rows of `payment_receipts`: money that came in, each time once.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query};
use uuid::Uuid;

/// Money that came in.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    pub(crate) id: Uuid,
    pub(crate) invoice_id: String,
    /// None: only the invoice has told of it so far.
    pub(crate) transfer_id: Option<String>,
    /// Whole rupiah.
    pub(crate) amount: i64,
}

/// The receipts of a payment, oldest first.
pub(crate) async fn of_payment(db: &impl Query, payment_id: Uuid) -> Result<Vec<Receipt>, DbError> {
    const SQL: &str = "SELECT id, invoice_id, transfer_id, amount FROM payment_receipts
        WHERE payment_id = $1 ORDER BY id";
    let rows = db.rows(SQL, &[&payment_id]).await?;
    let receipt = |row: &halobestie_core::pg::Row| Receipt {
        id: row.get(0),
        invoice_id: row.get(1),
        transfer_id: row.get(2),
        amount: row.get(3),
    };
    Ok(rows.iter().map(receipt).collect())
}

/// Writes down that money came in.
pub(crate) async fn insert(
    db: &impl Query,
    payment_id: Uuid,
    receipt: &Receipt,
    method: Option<&str>,
    paid_at: Timestamp,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str =
        "INSERT INTO payment_receipts (id, payment_id, invoice_id, transfer_id, amount,
            method, paid_at, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let params: halobestie_core::pg::Params<'_> = &[
        &receipt.id,
        &payment_id,
        &receipt.invoice_id,
        &receipt.transfer_id,
        &receipt.amount,
        &method,
        &paid_at,
        &now,
    ];
    db.execute(SQL, params).await?;
    Ok(())
}

/// Writes down which transfer a receipt was, once an event has told. Returns whether it was not known.
pub(crate) async fn name_transfer(
    db: &impl Query,
    receipt_id: Uuid,
    transfer_id: &str,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE payment_receipts SET transfer_id = $2
        WHERE id = $1 AND transfer_id IS NULL";
    Ok(db.execute(SQL, &[&receipt_id, &transfer_id]).await? == 1)
}
