//! Money that comes in: kept, delivered, given back, or left to a person.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Delivery, PaymentStatus, Purpose};
use tracing::{error, warn};

use super::news::{News, Source};
use super::{Settled, doubt, doubt_unless_so, doubted, is_open};
use crate::gateway::InvoiceStatus;
use crate::ledger;
use crate::payment_state::{PaymentEvent, step};
use crate::refunding::{self, RefundReason};
use crate::state::State;
use crate::store::payments::{self, Change, PaymentRow};
use crate::store::receipts::{self, Receipt};

/// Takes in money that the news tell of.
pub(super) async fn receive<'a>(
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
        fee: news.fee(),
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
    /// What Xendit has kept of it, where that is known.
    fee: Option<i64>,
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
    if let Some(fee) = news.fee() {
        // Whoever asked the invoice itself was not told of it.
        ledger::fee_taken(state, tx, row, same.id, fee, state.now()).await?;
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
    Ok(Settled::Changed(Box::new(row), vec![after]))
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
    Ok(Settled::Changed(Box::new(row), vec![wanted]))
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
    Ok(Settled::Changed(Box::new(row), after))
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
    if let Some(fee) = money.fee {
        ledger::fee_taken(state, tx, &row, receipt.id, fee, now).await?;
    }
    state.meters.count_payment(row.status);
    Ok(Some(row))
}
