//! What Xendit itself says of a payment, settled by the same code as events; and made true there: of
//! several invoices one is kept, and what nobody wants any more is expired.
//!
//! Used after a lost answer, for an event that does not say enough, for what was taken back, and by the
//! comparison with Xendit. Doing it at any time, any number of times, is harmless.

use std::time::Duration;

use halobestie_core::jobs::Failure;
use halobestie_core::pg::DbError;
use halobestie_core::ports::PaymentStatus;
use uuid::Uuid;

use crate::gateway::{GatewayError, Invoice, InvoiceStatus};
use crate::invoicing::adopt;
use crate::payment_state::PaymentEvent;
use crate::settling::{self, News, Settled};
use crate::state::State;
use crate::store::payments::{self, PaymentRow};

/// An invoice that was asked for may appear this long after the call began, and no longer.
const APPEARS_WITHIN: Duration = Duration::from_secs(60);
/// Transactions that are begun again because somebody else settled at the same time.
pub(crate) const RACES_MAX: usize = 5;

/// Why nothing was found out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Xendit.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// Postgres.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Others settle the same payment again and again.
    #[error("the payment was changed at the same time, again and again")]
    Raced,
}

impl AskError {
    /// As what a job makes of it.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Gateway(error) => error.into_failure(),
            other => other.into(),
        }
    }
}

/// Asks Xendit about a payment and settles what it says. Returns the payment as it is then; none where
/// there is no such payment.
///
/// # Errors
/// When Xendit or Postgres does not answer.
pub(crate) async fn ask(
    state: &State,
    payment_id: Uuid,
    request_id: Uuid,
) -> Result<Option<PaymentRow>, AskError> {
    let Some(row) = payments::find(&state.db, payment_id).await? else {
        return Ok(None);
    };
    let mut invoices = invoices_of(state, &row, request_id).await?;
    for invoice in &mut invoices {
        if invoice.status == InvoiceStatus::Pending && is_unwanted(state, &row) {
            *invoice = expired(state, invoice, request_id).await?;
        }
    }
    let row = settle_paid(state, row, &invoices).await?;
    keep_one(state, row, invoices, request_id).await.map(Some)
}

/// The invoices of a payment that may be there. The one that is known is read; where Xendit was asked
/// for another one, or its answer is not known, all are looked for.
async fn invoices_of(
    state: &State,
    row: &PaymentRow,
    request_id: Uuid,
) -> Result<Vec<Invoice>, GatewayError> {
    match &row.invoice_id {
        Some(id) if row.asks <= 1 => {
            let invoice = state.gateway.get(request_id, id).await?;
            let is_its = |it: &Invoice| it.external_id == row.id.to_string();
            Ok(invoice.into_iter().filter(is_its).collect())
        }
        None if row.asks == 0 => Ok(Vec::new()),
        _ => state.gateway.find(request_id, row.id).await,
    }
}

/// Whether nobody may pay any more.
fn is_unwanted(state: &State, row: &PaymentRow) -> bool {
    let is_open = matches!(row.status, PaymentStatus::Creating | PaymentStatus::Pending);
    !is_open || row.expires_at <= state.now()
}

/// Expires an invoice. Where that is refused it has changed since it was read, so it is read again.
async fn expired(
    state: &State,
    invoice: &Invoice,
    request_id: Uuid,
) -> Result<Invoice, GatewayError> {
    match state.gateway.expire(request_id, &invoice.id).await {
        Ok(expired) => Ok(expired),
        Err(refusal) if refusal.is_refusal() => {
            let now = state.gateway.get(request_id, &invoice.id).await?;
            now.filter(|it| it.status != InvoiceStatus::Pending)
                .ok_or(refusal)
        }
        Err(error) => Err(error),
    }
}

async fn settle_paid(
    state: &State,
    row: PaymentRow,
    invoices: &[Invoice],
) -> Result<PaymentRow, AskError> {
    let paid = |it: &&Invoice| it.status == InvoiceStatus::Paid;
    for news in invoices.iter().filter(paid).filter_map(News::of_invoice) {
        if settle(state, &news).await? {
            state.meters.found.with_label_values(&["paid"]).inc();
        }
    }
    let row = payments::find(&state.db, row.id).await?;
    Ok(row.ok_or(DbError::Content("a payment is gone"))?)
}

/// Settles in a transaction of its own; again where somebody else did so at the same time. Returns
/// whether anything was changed.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn settle(state: &State, news: &News) -> Result<bool, AskError> {
    for _ in 0..RACES_MAX {
        let mut client = state.db.client().await?;
        let tx = client.begin().await?;
        match settling::settle(state, &tx, news).await? {
            Settled::Changed(row, after) => {
                tx.commit().await?;
                drop(client);
                settling::finish(state, &row, after).await;
                return Ok(true);
            }
            Settled::Raced => {}
            Settled::Nothing | Settled::Ask | Settled::Unknown => {
                // A transfer may have got its name.
                tx.commit().await?;
                return Ok(false);
            }
        }
    }
    Err(AskError::Raced)
}

/// Of what can be paid, keeps one invoice if the payment waits for its money, and expires the others;
/// closes the payment where nothing can be paid any more.
async fn keep_one(
    state: &State,
    mut row: PaymentRow,
    invoices: Vec<Invoice>,
    request_id: Uuid,
) -> Result<PaymentRow, AskError> {
    let is_known = !invoices.is_empty();
    let is_expired = is_known
        && invoices
            .iter()
            .all(|it| it.status == InvoiceStatus::Expired);
    let payable: Vec<&Invoice> = invoices
        .iter()
        .filter(|it| it.status == InvoiceStatus::Pending)
        .collect();
    let keeps = (!is_unwanted(state, &row))
        .then(|| kept(&row, &payable))
        .flatten();
    if let (PaymentStatus::Creating, Some(invoice)) = (row.status, keeps) {
        match adopt(state, &row, invoice).await? {
            Some(adopted) => row = adopted,
            None => return Err(AskError::Raced),
        }
    }
    for invoice in payable {
        if keeps.is_none_or(|kept| kept.id != invoice.id) {
            expired(state, invoice, request_id).await?;
        }
    }
    let is_over = row.expires_at <= state.now() && is_unwanted(state, &row);
    let is_lost = row.status == PaymentStatus::Pending && is_expired;
    if is_over || is_lost {
        row = close(state, row).await?;
    }
    note_closed(state, &row, is_known).await?;
    Ok(row)
}

/// The one to keep: the payment's own, or else the first.
fn kept<'a>(row: &PaymentRow, payable: &[&'a Invoice]) -> Option<&'a Invoice> {
    let own = payable
        .iter()
        .find(|it| row.invoice_id.as_ref() == Some(&it.id));
    own.or(payable.first()).copied()
}

async fn close(state: &State, row: PaymentRow) -> Result<PaymentRow, AskError> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    match settling::close(state, &tx, &row, PaymentEvent::Expired).await? {
        Settled::Changed(row, after) => {
            tx.commit().await?;
            drop(client);
            settling::finish(state, &row, after).await;
            state.meters.found.with_label_values(&["expired"]).inc();
            Ok(*row)
        }
        Settled::Raced => Err(AskError::Raced),
        _ => Ok(row),
    }
}

/// Notes that nothing is left to be paid there, once an invoice cannot appear any more.
async fn note_closed(state: &State, row: &PaymentRow, is_known: bool) -> Result<(), AskError> {
    let is_given_up = matches!(row.status, PaymentStatus::Expired | PaymentStatus::Failed);
    let now = state.now();
    let appears = row.asked_at.is_some_and(|at| now < at + APPEARS_WITHIN);
    if is_given_up && row.asks > 0 && (is_known || !appears) {
        payments::note_closed(&state.db, row, now).await?;
    }
    Ok(())
}
