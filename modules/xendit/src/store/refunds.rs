//! Rows of `refunds`. One that has ended is never changed.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row};
use uuid::Uuid;

use crate::ledger::Way;
use crate::refunding::{RefundReason, RefundState};

/// A refund as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct RefundRow {
    pub(crate) id: Uuid,
    pub(crate) payment_id: Uuid,
    /// By which invoice the money came.
    pub(crate) invoice_id: String,
    /// Whole rupiah.
    pub(crate) amount: i64,
    pub(crate) way: Way,
    pub(crate) reason: RefundReason,
    pub(crate) note: Option<String>,
    pub(crate) status: RefundState,
    /// Xendit's id, once it is known.
    pub(crate) refund_id: Option<String>,
    pub(crate) failure: Option<String>,
    pub(crate) created_at: Timestamp,
}

const UNREADABLE: DbError = DbError::Content("a refund that cannot be read");

impl RefundRow {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id"),
            payment_id: row.get("payment_id"),
            invoice_id: row.get("invoice_id"),
            amount: row.get("amount"),
            way: Way::parse(row.get("way")).ok_or(UNREADABLE)?,
            reason: RefundReason::parse(row.get("reason")).ok_or(UNREADABLE)?,
            note: row.get("note"),
            status: RefundState::parse(row.get("status")).ok_or(UNREADABLE)?,
            refund_id: row.get("refund_id"),
            failure: row.get("failure"),
            created_at: row.get("created_at"),
        })
    }
}

/// A refund that is to be.
pub(crate) struct NewRefund<'a> {
    pub(crate) id: Uuid,
    pub(crate) payment_id: Uuid,
    pub(crate) invoice_id: &'a str,
    pub(crate) amount: i64,
    pub(crate) way: Way,
    pub(crate) reason: RefundReason,
    pub(crate) note: Option<&'a str>,
    pub(crate) requested_by: Option<Uuid>,
}

/// A new refund: `wanted`, or, where a person has given the money back already, `succeeded`.
pub(crate) async fn insert(
    db: &impl Query,
    new: &NewRefund<'_>,
    now: Timestamp,
) -> Result<RefundRow, DbError> {
    const SQL: &str =
        "INSERT INTO refunds (id, payment_id, amount, way, reason, note, requested_by,
            status, created_at, updated_at, ended_at, invoice_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9,
            CASE WHEN $8 = 'succeeded' THEN $9::timestamptz END, $10)
        RETURNING *";
    let (way, reason) = (new.way.as_str(), new.reason.as_str());
    let status = match new.way {
        Way::Xendit => RefundState::Wanted.as_str(),
        Way::ByHand => RefundState::Succeeded.as_str(),
    };
    let params: halobestie_core::pg::Params<'_> = &[
        &new.id,
        &new.payment_id,
        &new.amount,
        &way,
        &reason,
        &new.note,
        &new.requested_by,
        &status,
        &now,
        &new.invoice_id,
    ];
    RefundRow::read(&db.row(SQL, params).await?)
}

/// A refund by our id.
pub(crate) async fn find(db: &impl Query, id: Uuid) -> Result<Option<RefundRow>, DbError> {
    const SQL: &str = "SELECT * FROM refunds WHERE id = $1";
    let row = db.row_opt(SQL, &[&id]).await?;
    row.as_ref().map(RefundRow::read).transpose()
}

/// A refund by Xendit's id.
pub(crate) async fn find_theirs(
    db: &impl Query,
    refund_id: &str,
) -> Result<Option<RefundRow>, DbError> {
    const SQL: &str = "SELECT * FROM refunds WHERE refund_id = $1";
    let row = db.row_opt(SQL, &[&refund_id]).await?;
    row.as_ref().map(RefundRow::read).transpose()
}

/// The refunds of a payment, oldest first.
pub(crate) async fn of_payment(
    db: &impl Query,
    payment_id: Uuid,
) -> Result<Vec<RefundRow>, DbError> {
    const SQL: &str = "SELECT * FROM refunds WHERE payment_id = $1 ORDER BY id";
    let rows = db.rows(SQL, &[&payment_id]).await?;
    rows.iter().map(RefundRow::read).collect()
}

/// Writes down that Xendit has a refund, and notes that somebody looked; nothing for one that is over.
pub(crate) async fn note_taken(
    db: &impl Query,
    id: Uuid,
    refund_id: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE refunds SET status = 'pending', refund_id = $2, updated_at = $3
        WHERE id = $1 AND status IN ('wanted', 'pending')";
    db.execute(SQL, &[&id, &refund_id, &now]).await?;
    Ok(())
}

/// Ends a refund; false where it was over before.
pub(crate) async fn end(
    db: &impl Query,
    id: Uuid,
    (status, refund_id, failure): (RefundState, Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE refunds SET status = $2, refund_id = coalesce($3, refund_id),
            failure = $4, updated_at = $5, ended_at = $5
        WHERE id = $1 AND status IN ('wanted', 'pending')";
    let status = status.as_str();
    let params: halobestie_core::pg::Params<'_> = &[&id, &status, &refund_id, &failure, &now];
    Ok(db.execute(SQL, params).await? == 1)
}

/// Takes refunds that are open and that nobody has looked at since `before`, for the caller alone.
pub(crate) async fn take_stale(
    db: &impl Query,
    before: Timestamp,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "UPDATE refunds SET updated_at = $3 WHERE id IN (
            SELECT id FROM refunds WHERE status IN ('wanted', 'pending') AND updated_at <= $1
            ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING id";
    let rows = db.rows(SQL, &[&before, &limit, &now]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
