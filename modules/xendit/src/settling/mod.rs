//! What news of an invoice do to its payment: the one place where money that came changes anything,
//! whether an event told of it or Xendit was asked.
//!
//! Everything happens in the caller's transaction. The order of locks is session, then payment: so the
//! seller is told first, and the payment is then changed by the version that was read before. Where
//! that finds nothing to change, somebody else settled at the same time: the transaction is to be given
//! up and the news settled again, on what is true then.

mod news;
mod receiving;

use halobestie_core::AfterCommit;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::PaymentStatus;
use tracing::error;

use self::receiving::receive;
use crate::gateway::InvoiceStatus;
use crate::payment_state::{PaymentEvent, step};
use crate::state::State;
use crate::store::payments::{self, Change, PaymentRow};

pub(crate) use self::news::{News, Source};

/// What came of it.
pub(crate) enum Settled<'a> {
    /// The payment is changed; to be run after the commit, in turn.
    Changed(Box<PaymentRow>, Vec<AfterCommit<'a>>),
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
        InvoiceStatus::Paid => {
            let settled = receive(state, tx, news, &row).await?;
            noticed(state, tx, settled).await
        }
        // A part of the money: more than a state, it is a payment.
        InvoiceStatus::Pending if news.tells_of_money() => {
            let settled = receive(state, tx, news, &row).await?;
            noticed(state, tx, settled).await
        }
        InvoiceStatus::Expired => expire(state, tx, news, &row).await,
        InvoiceStatus::Pending | InvoiceStatus::Unknown(_) => Ok(Settled::Nothing),
    }
}

/// The customer hears of it, although their app may sleep.
async fn noticed<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    settled: Settled<'a>,
) -> Result<Settled<'a>, DbError> {
    let Settled::Changed(row, mut after) = settled else {
        return Ok(settled);
    };
    after.push(state.notice(tx, &row).await?);
    Ok(Settled::Changed(row, after))
}

const fn is_open(status: PaymentStatus) -> bool {
    matches!(status, PaymentStatus::Creating | PaymentStatus::Pending)
}

fn doubted<'a>(row: &PaymentRow, reason: &'a str) -> Change<'a> {
    let status = step(row.status, PaymentEvent::Doubted);
    Change {
        review_reason: Some(reason),
        ..Change::to(status.unwrap_or(PaymentStatus::NeedsReview))
    }
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
    Ok(Settled::Changed(Box::new(row), Vec::new()))
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
    noticed(state, tx, Settled::Changed(Box::new(row), vec![after])).await
}

/// Runs what is left after the commit, and shows the customer where the payment is.
pub(crate) async fn finish(state: &State, row: &PaymentRow, after: Vec<AfterCommit<'_>>) {
    for after in after {
        after.run().await;
    }
    state.show(row);
}
