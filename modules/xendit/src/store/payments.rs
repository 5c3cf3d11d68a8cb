//! Rows of `payments`. A status is changed only by [`change`], along a row of the state machine and by
//! the version that the decision was made on.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row};
use halobestie_core::ports::{Charge, Payment, PaymentStatus, Purpose};
use uuid::Uuid;

/// A payment as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct PaymentRow {
    pub(crate) id: Uuid,
    pub(crate) subject_id: Uuid,
    pub(crate) purpose: Purpose,
    pub(crate) session_id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) status: PaymentStatus,
    /// What was asked for, in whole rupiah.
    pub(crate) amount: i64,
    pub(crate) description: String,
    pub(crate) expires_at: Timestamp,
    /// How often Xendit was asked for an invoice.
    pub(crate) asks: i32,
    pub(crate) asked_at: Option<Timestamp>,
    pub(crate) invoice_id: Option<String>,
    pub(crate) invoice_url: Option<String>,
    /// All that came in, in whole rupiah.
    pub(crate) paid_amount: i64,
    pub(crate) paid_at: Option<Timestamp>,
    pub(crate) review_reason: Option<String>,
    /// What a change must find unchanged.
    pub(crate) version: i64,
}

const UNREADABLE: DbError = DbError::Content("a payment that cannot be read");

impl PaymentRow {
    /// As its customer sees it.
    pub(crate) fn view(&self) -> Payment {
        Payment {
            id: self.id,
            session_id: self.session_id,
            purpose: self.purpose,
            status: self.status,
            amount: self.amount,
            currency: "IDR".to_owned(),
            invoice_url: self.invoice_url.clone(),
            expires_at: self.expires_at,
            paid_at: self.paid_at,
        }
    }

    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id"),
            subject_id: row.get("subject_id"),
            purpose: Purpose::parse(row.get("purpose")).ok_or(UNREADABLE)?,
            session_id: row.get("session_id"),
            customer_id: row.get("customer_id"),
            status: PaymentStatus::parse(row.get("status")).ok_or(UNREADABLE)?,
            amount: row.get("amount"),
            description: row.get("description"),
            expires_at: row.get("expires_at"),
            asks: row.get("asks"),
            asked_at: row.get("asked_at"),
            invoice_id: row.get("invoice_id"),
            invoice_url: row.get("invoice_url"),
            paid_amount: row.get("paid_amount"),
            paid_at: row.get("paid_at"),
            review_reason: row.get("review_reason"),
            version: row.get("version"),
        })
    }
}

fn read_all(rows: &[Row]) -> Result<Vec<PaymentRow>, DbError> {
    rows.iter().map(PaymentRow::read).collect()
}

/// A new payment, `creating`.
pub(crate) async fn insert(
    db: &impl Query,
    id: Uuid,
    charge: &Charge<'_>,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<PaymentRow, DbError> {
    const SQL: &str =
        "INSERT INTO payments (id, subject_id, purpose, session_id, customer_id, status,
            amount, description, created_at, expires_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, 'creating', $6, $7, $8, $9, $8) RETURNING *";
    let purpose = charge.purpose.as_str();
    let params: halobestie_core::pg::Params<'_> = &[
        &id,
        &charge.subject_id,
        &purpose,
        &charge.session_id,
        &charge.customer_id,
        &charge.amount,
        &charge.description,
        &now,
        &expires_at,
    ];
    PaymentRow::read(&db.row(SQL, params).await?)
}

/// A payment by its id.
pub(crate) async fn find(db: &impl Query, id: Uuid) -> Result<Option<PaymentRow>, DbError> {
    const SQL: &str = "SELECT * FROM payments WHERE id = $1";
    let row = db.row_opt(SQL, &[&id]).await?;
    row.as_ref().map(PaymentRow::read).transpose()
}

/// The payments of these subjects.
pub(crate) async fn of_subjects(
    db: &impl Query,
    subject_ids: &[Uuid],
) -> Result<Vec<PaymentRow>, DbError> {
    const SQL: &str = "SELECT * FROM payments WHERE subject_id = ANY($1)";
    read_all(&db.rows(SQL, &[&subject_ids]).await?)
}

/// A customer's payments, newest first, after the one that a page ended with.
pub(crate) async fn of_customer(
    db: &impl Query,
    customer_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<PaymentRow>, DbError> {
    const SQL: &str = "SELECT * FROM payments
        WHERE customer_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    read_all(&db.rows(SQL, &[&customer_id, &before, &limit]).await?)
}

/// What is to be changed of a payment.
pub(crate) struct Change<'a> {
    /// Where it goes: by the state machine from where it was.
    pub(crate) status: PaymentStatus,
    /// Why somebody has to look at it; what was there stays where there is none.
    pub(crate) review_reason: Option<&'a str>,
    /// Money that came in with this change, in whole rupiah, and when it was paid.
    pub(crate) received: Option<(i64, Timestamp)>,
}

impl Change<'_> {
    /// A new status and nothing else.
    pub(crate) const fn to(status: PaymentStatus) -> Self {
        Self {
            status,
            review_reason: None,
            received: None,
        }
    }
}

/// Changes a payment, unless somebody else has changed it since the row was read: then nothing is
/// returned, and the transaction is to be given up.
pub(crate) async fn change(
    db: &impl Query,
    row: &PaymentRow,
    change: &Change<'_>,
    now: Timestamp,
) -> Result<Option<PaymentRow>, DbError> {
    const SQL: &str =
        "UPDATE payments SET status = $3, review_reason = coalesce($4, review_reason),
            paid_amount = paid_amount + coalesce($5::bigint, 0), paid_at = coalesce(paid_at, $6),
            updated_at = $7, version = version + 1
        WHERE id = $1 AND version = $2 RETURNING *";
    let status = change.status.as_str();
    let (received, paid_at) = change.received.unzip();
    let params: halobestie_core::pg::Params<'_> = &[
        &row.id,
        &row.version,
        &status,
        &change.review_reason,
        &received,
        &paid_at,
        &now,
    ];
    let changed = db.row_opt(SQL, params).await?;
    changed.as_ref().map(PaymentRow::read).transpose()
}

/// Notes that Xendit is about to be asked for an invoice. Nothing is returned where somebody else has
/// changed the payment since.
pub(crate) async fn note_ask(
    db: &impl Query,
    row: &PaymentRow,
    now: Timestamp,
) -> Result<Option<PaymentRow>, DbError> {
    const SQL: &str = "UPDATE payments SET asks = asks + 1, asked_at = $3, closed_at = NULL,
            updated_at = $3, version = version + 1
        WHERE id = $1 AND version = $2 AND status = 'creating' RETURNING *";
    let asked = db.row_opt(SQL, &[&row.id, &row.version, &now]).await?;
    asked.as_ref().map(PaymentRow::read).transpose()
}

/// Writes down the invoice of a payment, with the status that this leads to.
pub(crate) async fn note_invoice(
    db: &impl Query,
    row: &PaymentRow,
    status: PaymentStatus,
    invoice: (&str, Option<&str>),
    now: Timestamp,
) -> Result<Option<PaymentRow>, DbError> {
    const SQL: &str = "UPDATE payments SET status = $3, invoice_id = $4,
            invoice_url = coalesce($5, invoice_url), updated_at = $6, version = version + 1
        WHERE id = $1 AND version = $2 RETURNING *";
    let (status, (id, url)) = (status.as_str(), invoice);
    let params: halobestie_core::pg::Params<'_> =
        &[&row.id, &row.version, &status, &id, &url, &now];
    let noted = db.row_opt(SQL, params).await?;
    noted.as_ref().map(PaymentRow::read).transpose()
}

/// Notes that nothing of an unpaid payment can be paid at Xendit any more.
pub(crate) async fn note_closed(
    db: &impl Query,
    row: &PaymentRow,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE payments SET closed_at = $3 WHERE id = $1 AND version = $2";
    db.execute(SQL, &[&row.id, &row.version, &now]).await?;
    Ok(())
}

/// Takes payments that have not been compared with Xendit since `before`, for the caller alone: those
/// that wait for money, and those given up of which something may still be payable there.
pub(crate) async fn take_unsettled(
    db: &impl Query,
    before: Timestamp,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<PaymentRow>, DbError> {
    const SQL: &str = "UPDATE payments SET checked_at = $3 WHERE id IN (
            SELECT id FROM payments
            WHERE (status IN ('creating', 'pending')
                   OR (status IN ('expired', 'failed') AND asks > 0 AND closed_at IS NULL))
              AND created_at <= $1 AND (checked_at IS NULL OR checked_at <= $1)
            ORDER BY checked_at NULLS FIRST, created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING *";
    read_all(&db.rows(SQL, &[&before, &limit, &now]).await?)
}

/// What is known of a payment that Xendit says is paid.
pub(crate) struct Known {
    pub(crate) id: Uuid,
    pub(crate) created_at: Timestamp,
    /// What came in for it, in whole rupiah.
    pub(crate) received: i64,
}

/// Which of these payments exist.
pub(crate) async fn known_of(db: &impl Query, ids: &[Uuid]) -> Result<Vec<Known>, DbError> {
    const SQL: &str = "SELECT id, created_at, paid_amount FROM payments WHERE id = ANY($1)";
    let rows = db.rows(SQL, &[&ids]).await?;
    let known = |row: &Row| Known {
        id: row.get(0),
        created_at: row.get(1),
        received: row.get(2),
    };
    Ok(rows.iter().map(known).collect())
}

/// The payment of a subject, locked until the end of the transaction. Who calls has locked the session.
pub(crate) async fn lock_of_subject(
    db: &impl Query,
    subject_id: Uuid,
) -> Result<Option<PaymentRow>, DbError> {
    const SQL: &str = "SELECT * FROM payments WHERE subject_id = $1 FOR UPDATE";
    let row = db.row_opt(SQL, &[&subject_id]).await?;
    row.as_ref().map(PaymentRow::read).transpose()
}
