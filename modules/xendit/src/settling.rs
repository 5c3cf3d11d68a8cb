//! What news of an invoice do to its payment: the one place where money that came changes anything,
//! whether an event told of it or Xendit was asked.
//!
//! Everything happens in the caller's transaction. The order of locks is session, then payment: so the
//! seller is told first, and the payment is then changed by the version that was read before. Where
//! that finds nothing to change, somebody else settled at the same time: the transaction is to be given
//! up and the news settled again, on what is true then.

use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Delivery, PaymentStatus, Purpose};
use halobestie_core::{AfterCommit, Timestamp};
use tracing::{error, warn};
use uuid::Uuid;

use crate::event::InvoiceEvent;
use crate::gateway::{Amount, Invoice, InvoiceStatus};
use crate::ledger;
use crate::payment_state::{PaymentEvent, step};
use crate::refunding::{self, RefundReason};
use crate::state::State;
use crate::store::payments::{self, Change, PaymentRow};
use crate::store::receipts::{self, Receipt};

/// Whether it was told or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A verified event: what it leaves open, the invoice itself is asked about.
    Event,
    /// The invoice itself.
    Read,
}

/// News of an invoice.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) source: Source,
    pub(crate) payment_id: Uuid,
    pub(crate) invoice_id: String,
    pub(crate) status: InvoiceStatus,
    /// What the invoice asks for.
    amount: Amount,
    paid_amount: Amount,
    paid_at: Option<Timestamp>,
    transfer_id: Option<String>,
    method: Option<String>,
    is_rupiah: bool,
}

impl News {
    /// What an event tells; none where it is of nobody's payment here.
    pub(crate) fn of_event(event: InvoiceEvent) -> Option<Self> {
        Some(Self {
            source: Source::Event,
            payment_id: Uuid::parse_str(&event.external_id).ok()?,
            invoice_id: event.invoice_id,
            status: event.status,
            amount: event.amount,
            paid_amount: event.paid_amount,
            paid_at: event.paid_at,
            transfer_id: event.transfer_id,
            method: event.method,
            is_rupiah: event.currency.is_none_or(|it| it == "IDR"),
        })
    }

    /// What the invoice says itself.
    pub(crate) fn of_invoice(invoice: &Invoice) -> Option<Self> {
        Some(Self {
            source: Source::Read,
            payment_id: invoice.payment_id()?,
            invoice_id: invoice.id.clone(),
            status: invoice.status.clone(),
            amount: invoice.amount,
            paid_amount: invoice.paid_amount,
            paid_at: invoice.paid_at,
            transfer_id: None,
            method: invoice.method.clone(),
            is_rupiah: true,
        })
    }

    /// What came in, as far as that can be told. An invoice that is paid was paid its amount, unless
    /// it says otherwise.
    fn paid(&self) -> Amount {
        match self.paid_amount {
            Amount::Absent => self.amount,
            said => said,
        }
    }

    fn tells_of_money(&self) -> bool {
        !matches!(self.paid_amount, Amount::Absent | Amount::Rupiah(0))
    }

    fn is_readable(&self) -> bool {
        self.paid().rupiah().is_some_and(|it| it > 0) && self.amount != Amount::Unreadable
    }
}

/// What came of it.
pub(crate) enum Settled<'a> {
    /// The payment is changed; to be run after the commit, in turn.
    Changed(PaymentRow, Vec<AfterCommit<'a>>),
    /// It was so before, or says nothing that matters.
    Nothing,
    /// It does not say enough: the invoice itself is to be asked.
    Ask,
    /// No payment of ours, or not yet.
    Unknown,
    /// Somebody else changed the payment meanwhile: give the transaction up and settle again.
    Raced,
}

/// Settles news in the caller's transaction.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn settle<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    news: &News,
) -> Result<Settled<'a>, DbError> {
    let Some(row) = payments::find(tx, news.payment_id).await? else {
        return Ok(Settled::Unknown);
    };
    match news.status {
        InvoiceStatus::Paid => receive(state, tx, news, &row).await,
        // A part of the money: more than a state, it is a payment.
        InvoiceStatus::Pending if news.tells_of_money() => receive(state, tx, news, &row).await,
        InvoiceStatus::Expired => expire(state, tx, news, &row).await,
        InvoiceStatus::Pending | InvoiceStatus::Unknown(_) => Ok(Settled::Nothing),
    }
}

async fn receive<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    news: &News,
    row: &PaymentRow,
) -> Result<Settled<'a>, DbError> {
    if !news.is_readable() {
        return match news.source {
            Source::Event => Ok(Settled::Ask),
            Source::Read => doubt(state, tx, row, UNREADABLE).await,
        };
    }
    let paid = news.paid().rupiah().unwrap_or_default();
    let known = receipts::of_payment(tx, row.id).await?;
    if let Some(same) = known.iter().find(|it| is_same(it, news)) {
        return repeat(state, tx, news, row, same).await;
    }
    let money = Money {
        receipt: Receipt {
            id: state.entropy.uuid(&state.clock),
            invoice_id: news.invoice_id.clone(),
            transfer_id: news.transfer_id.clone(),
            amount: paid,
        },
        method: news.method.as_deref(),
        paid_at: news.paid_at.unwrap_or_else(|| state.now()),
    };
    if let Some(doubt) = wrong_amount(news, row, paid) {
        return keep_doubted(state, tx, row, &money, &doubt).await;
    }
    if known.is_empty() {
        deliver(state, tx, row, &money).await
    } else {
        give_back(state, tx, row, &money, RefundReason::SecondPayment).await
    }
}

const UNREADABLE: &str = "the invoice is paid, and how much cannot be read";

/// Whether a receipt is of the transfer that the news are about. One of the two may not know which
/// transfer it was: then it is the same if the invoice is.
fn is_same(receipt: &Receipt, news: &News) -> bool {
    receipt.invoice_id == news.invoice_id
        && match (&receipt.transfer_id, &news.transfer_id) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
}

/// Money that came in.
struct Money<'a> {
    receipt: Receipt,
    method: Option<&'a str>,
    paid_at: Timestamp,
}

fn wrong_amount(news: &News, row: &PaymentRow, paid: i64) -> Option<String> {
    if !news.is_rupiah {
        return Some("paid in another currency than rupiah".to_owned());
    }
    let asked = news.amount.rupiah().unwrap_or(row.amount);
    let is_right = paid == row.amount && asked == row.amount && news.status == InvoiceStatus::Paid;
    (!is_right).then(|| format!("{paid} rupiah came in where {} were to be paid", row.amount))
}

/// The same transfer again: nothing, but that it may be told now which one it was, and how much.
async fn repeat<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    news: &News,
    row: &PaymentRow,
    same: &Receipt,
) -> Result<Settled<'a>, DbError> {
    if let (None, Some(transfer_id)) = (&same.transfer_id, &news.transfer_id) {
        // Where another event has named it meanwhile, this may be a second transfer.
        if !receipts::name_transfer(tx, same.id, transfer_id).await? {
            return Ok(Settled::Raced);
        }
    }
    match news.paid().rupiah() {
        Some(paid) if paid != same.amount => {
            let doubt = format!(
                "{paid} rupiah came in where {} were read before",
                same.amount
            );
            doubt_unless_so(state, tx, row, &doubt).await
        }
        _ => Ok(Settled::Nothing),
    }
}

/// What was paid for, to whom it belongs, if it still can be.
async fn deliver<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    row: &PaymentRow,
    money: &Money<'_>,
) -> Result<Settled<'a>, DbError> {
    let Some(status) = step(row.status, PaymentEvent::Paid) else {
        return doubt(
            state,
            tx,
            row,
            "paid in a state in which nothing can be paid",
        )
        .await;
    };
    if status != PaymentStatus::Paid {
        // It was given up to a person before any money came.
        let reason = "paid while it waits for somebody to look at it";
        return keep_doubted(state, tx, row, money, reason).await;
    }
    let sold = state.purchases.paid(tx, row.purpose, row.subject_id);
    let (delivery, after) = sold.await?;
    if delivery == Delivery::TooLate {
        return give_back(state, tx, row, money, RefundReason::TooLate).await;
    }
    let Some(row) = keep(state, tx, row, money, Change::to(status)).await? else {
        return Ok(Settled::Raced);
    };
    Ok(Settled::Changed(row, vec![after]))
}

/// Keeps money that is to go back at once.
async fn give_back<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    row: &PaymentRow,
    money: &Money<'_>,
    reason: RefundReason,
) -> Result<Settled<'a>, DbError> {
    let Some(row) = keep(state, tx, row, money, Change::to(row.status)).await? else {
        return Ok(Settled::Raced);
    };
    let paid = PaymentRow {
        // Of two invoices of a payment, the one that this money came by.
        invoice_id: Some(money.receipt.invoice_id.clone()),
        ..row
    };
    let now = state.now();
    let amount = money.receipt.amount;
    let wanted = refunding::want(state, tx, &paid, amount, reason, now).await?;
    let (Some(wanted), Some(row)) = (wanted, payments::find(tx, paid.id).await?) else {
        return Ok(Settled::Raced);
    };
    warn!(payment.id = %row.id, ?reason, "money came that has to go back");
    Ok(Settled::Changed(row, vec![wanted]))
}

/// Keeps money that somebody has to look at.
async fn keep_doubted<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    row: &PaymentRow,
    money: &Money<'_>,
    reason: &str,
) -> Result<Settled<'a>, DbError> {
    let mut after = Vec::new();
    if row.purpose == Purpose::Extension && is_open(row.status) {
        // So that the customer can ask for another one; a session's own time ends it.
        let unpaid = state.purchases.unpaid(tx, row.purpose, row.subject_id);
        after.push(unpaid.await?);
    }
    let change = doubted(row, reason);
    let Some(row) = keep(state, tx, row, money, change).await? else {
        return Ok(Settled::Raced);
    };
    error!(payment.id = %row.id, reason, "a payment needs somebody to look at it");
    Ok(Settled::Changed(row, after))
}

fn doubted<'a>(row: &PaymentRow, reason: &'a str) -> Change<'a> {
    let status = step(row.status, PaymentEvent::Doubted);
    Change {
        review_reason: Some(reason),
        ..Change::to(status.unwrap_or(PaymentStatus::NeedsReview))
    }
}

const fn is_open(status: PaymentStatus) -> bool {
    matches!(status, PaymentStatus::Creating | PaymentStatus::Pending)
}

/// Writes down that money came, with what this makes of the payment, and books it.
async fn keep(
    state: &State,
    tx: &Tx<'_>,
    row: &PaymentRow,
    money: &Money<'_>,
    change: Change<'_>,
) -> Result<Option<PaymentRow>, DbError> {
    let (now, receipt) = (state.now(), &money.receipt);
    let change = Change {
        received: Some((receipt.amount, money.paid_at)),
        ..change
    };
    let Some(changed) = payments::change(tx, row, &change, now).await? else {
        return Ok(None);
    };
    let row = match changed.invoice_id {
        Some(_) => changed,
        // The money came before we knew of the invoice.
        None => {
            let invoice = (receipt.invoice_id.as_str(), None);
            let noted = payments::note_invoice(tx, &changed, changed.status, invoice, now).await?;
            noted.ok_or(DbError::Content("a locked payment was changed"))?
        }
    };
    receipts::insert(tx, row.id, receipt, money.method, money.paid_at, now).await?;
    ledger::charged(state, tx, &row, receipt.id, receipt.amount, now).await?;
    state.meters.count_payment(row.status);
    Ok(Some(row))
}

async fn doubt_unless_so<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    row: &PaymentRow,
    reason: &str,
) -> Result<Settled<'a>, DbError> {
    if row.status == PaymentStatus::NeedsReview {
        return Ok(Settled::Nothing);
    }
    doubt(state, tx, row, reason).await
}

/// Marks a payment for somebody to look at, without any money.
async fn doubt<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    row: &PaymentRow,
    reason: &str,
) -> Result<Settled<'a>, DbError> {
    if row.status == PaymentStatus::NeedsReview && row.review_reason.as_deref() == Some(reason) {
        return Ok(Settled::Nothing);
    }
    let change = doubted(row, reason);
    let Some(row) = payments::change(tx, row, &change, state.now()).await? else {
        return Ok(Settled::Raced);
    };
    state.meters.count_payment(row.status);
    error!(payment.id = %row.id, reason, "a payment needs somebody to look at it");
    Ok(Settled::Changed(row, Vec::new()))
}

/// An invoice that can no longer be paid. Only the payment's own counts: another one was given up.
async fn expire<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    news: &News,
    row: &PaymentRow,
) -> Result<Settled<'a>, DbError> {
    if !is_open(row.status) {
        return Ok(Settled::Nothing);
    }
    match &row.invoice_id {
        Some(id) if *id == news.invoice_id => close(state, tx, row, PaymentEvent::Expired).await,
        Some(_) => Ok(Settled::Nothing),
        // Its own, or one of several: whoever looks at all of them knows.
        None if news.source == Source::Event => Ok(Settled::Ask),
        None => close(state, tx, row, PaymentEvent::Expired).await,
    }
}

/// Closes a payment that will not be paid, and takes back what it was for.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn close<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    row: &PaymentRow,
    event: PaymentEvent,
) -> Result<Settled<'a>, DbError> {
    let Some(status) = step(row.status, event).filter(|status| *status != row.status) else {
        return Ok(Settled::Nothing);
    };
    let unpaid = state.purchases.unpaid(tx, row.purpose, row.subject_id);
    let after = unpaid.await?;
    let changed = payments::change(tx, row, &Change::to(status), state.now()).await?;
    let Some(row) = changed else {
        return Ok(Settled::Raced);
    };
    state.meters.count_payment(status);
    Ok(Settled::Changed(row, vec![after]))
}

/// Runs what is left after the commit, and shows the customer where the payment is.
pub(crate) async fn finish(state: &State, row: &PaymentRow, after: Vec<AfterCommit<'_>>) {
    for after in after {
        after.run().await;
    }
    state.show(row);
}
