//! The end of a refund, whoever tells of it: its row, the books, its payment, in one transaction.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::PaymentStatus;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::state::{RefundState, Standing};
use crate::gateway::RefundStatus;
use crate::ledger::{self, rupiah};
use crate::payment_state::{PaymentEvent, step};
use crate::state::State;
use crate::store::ledger as books;
use crate::store::payments::{self, Change, PaymentRow};
use crate::store::refunds::{self as store, RefundRow};

/// What is new of a refund.
#[derive(Clone, Copy, Debug)]
pub(super) enum News<'a> {
    /// Xendit has it.
    Taken { theirs: &'a str },
    /// The money went back.
    Succeeded { theirs: &'a str },
    /// It did not, and will not.
    Failed {
        theirs: Option<&'a str>,
        why: &'a str,
    },
}

impl<'a> News<'a> {
    pub(super) fn of(theirs: &'a str, status: &RefundStatus, failure: Option<&'a str>) -> Self {
        match status {
            RefundStatus::Succeeded => Self::Succeeded { theirs },
            RefundStatus::Failed => Self::Failed {
                theirs: Some(theirs),
                why: failure.unwrap_or("no reason is given"),
            },
            RefundStatus::Pending | RefundStatus::Unknown(_) => Self::Taken { theirs },
        }
    }
}

/// Writes down that Xendit will not give a refund, so that a person does.
pub(super) async fn fail(state: &State, refund: &RefundRow, why: &str) -> Result<(), DbError> {
    let news = News::Failed { theirs: None, why };
    settle(state, refund, &news).await
}

/// Takes news of a refund in a transaction of its own.
pub(super) async fn settle(
    state: &State,
    refund: &RefundRow,
    news: &News<'_>,
) -> Result<(), DbError> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let changed = take(state, &tx, refund, news, state.now()).await?;
    tx.commit().await?;
    if let Some(payment) = changed {
        state.show(&payment);
    }
    Ok(())
}

/// Takes news of a refund in `tx`: its row, the books, its payment. Returns the payment where that was
/// changed. A second telling changes nothing, and so does one that comes after the end.
pub(super) async fn take(
    state: &State,
    tx: &Tx<'_>,
    refund: &RefundRow,
    news: &News<'_>,
    now: Timestamp,
) -> Result<Option<PaymentRow>, DbError> {
    const GONE: DbError = DbError::Content("a refund of no payment");
    let payment = lock(tx, refund.payment_id).await?.ok_or(GONE)?;
    let (status, theirs, failure) = match *news {
        News::Taken { theirs } => {
            store::note_taken(tx, refund.id, theirs, now).await?;
            return Ok(None);
        }
        News::Succeeded { theirs } => (RefundState::Succeeded, Some(theirs), None),
        News::Failed { theirs, why } => (RefundState::Failed, theirs, Some(why)),
    };
    if !store::end(tx, refund.id, (status, theirs, failure), now).await? {
        contradicted(tx, refund.id, status).await?;
        return Ok(None);
    }
    count(state, status);
    let payment = match failure {
        None => succeeded(state, tx, &payment, refund, now).await?,
        Some(why) => failed(state, tx, &payment, refund, why, now).await?,
    };
    if payment.status == PaymentStatus::Refunded {
        // Found by a worker within a second or two: nobody waits for it.
        drop(state.notice(tx, &payment).await?);
    }
    Ok(Some(payment))
}

/// A payment, locked together with those of its session, so that nobody changes them meanwhile.
pub(crate) async fn lock(tx: &Tx<'_>, payment_id: Uuid) -> Result<Option<PaymentRow>, DbError> {
    let Some(seen) = payments::find(tx, payment_id).await? else {
        return Ok(None);
    };
    books::lock_session(tx, seen.session_id).await?;
    payments::find(tx, payment_id).await
}

/// Says so when a refund that has ended one way is told to have ended the other: nothing here can
/// know where the money is.
async fn contradicted(tx: &Tx<'_>, id: Uuid, told: RefundState) -> Result<(), DbError> {
    let ended = store::find(tx, id).await?;
    if let Some(ended) = ended.filter(|it| it.status != told) {
        error!(refund.id = %id, ended = ended.status.as_str(), told = told.as_str(),
            "a refund has ended, and is told to have ended otherwise: look at it at Xendit");
    }
    Ok(())
}

pub(super) async fn succeeded(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    refund: &RefundRow,
    now: Timestamp,
) -> Result<PaymentRow, DbError> {
    let movement = (refund.id, refund.amount, refund.way);
    ledger::returned_to_customer(state, tx, payment, movement, now).await?;
    info!(refund.id = %refund.id, payment.id = %payment.id, amount = refund.amount,
        way = refund.way.as_str(), "money went back");
    let held = books::owed(tx, payment.id, payment.session_id).await?.held;
    let Some(event) = standing(tx, payment).await?.after_success(held) else {
        return Ok(payment.clone());
    };
    let reason = format!(
        "{} is still held: nothing that we sold was paid by it",
        rupiah(held)
    );
    let reason = (event == PaymentEvent::Doubted).then_some(reason.as_str());
    changed(move_on(state, tx, payment, event, reason, now).await?)
}

async fn failed(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    refund: &RefundRow,
    why: &str,
    now: Timestamp,
) -> Result<PaymentRow, DbError> {
    warn!(refund.id = %refund.id, payment.id = %payment.id, amount = refund.amount, why,
        "money could not go back: it is for a person now");
    let (amount, id) = (rupiah(refund.amount), refund.id);
    let reason = format!(
        "{amount} could not go back ({why}; refund {id}). Pay it back by hand and record that \
         (by_hand), or ask for the refund again."
    );
    changed(
        move_on(
            state,
            tx,
            payment,
            PaymentEvent::RefundFailed,
            Some(&reason),
            now,
        )
        .await?,
    )
}

/// A payment that is locked is changed by nobody else.
pub(super) fn changed(payment: Option<PaymentRow>) -> Result<PaymentRow, DbError> {
    payment.ok_or(DbError::Content("a locked payment was changed"))
}

/// What of a payment's money came, went and is on its way.
pub(crate) async fn standing(tx: &Tx<'_>, payment: &PaymentRow) -> Result<Standing, DbError> {
    let refunds = store::of_payment(tx, payment.id).await?;
    Ok(Standing::of(payment.paid_amount, &refunds))
}

/// Moves a payment along its state machine. `None`: somebody else has changed it since.
pub(super) async fn move_on(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    event: PaymentEvent,
    review_reason: Option<&str>,
    now: Timestamp,
) -> Result<Option<PaymentRow>, DbError> {
    let Some(status) = step(payment.status, event) else {
        error!(payment.id = %payment.id, status = payment.status.as_str(), ?event,
            "this cannot happen to a payment: it stays as it is");
        return Ok(Some(payment.clone()));
    };
    let change = Change {
        status,
        review_reason,
        received: None,
    };
    let moved = payments::change(tx, payment, &change, now).await?;
    if moved.is_some() && status != payment.status {
        state.meters.count_payment(status);
    }
    Ok(moved)
}

/// Counts where a refund went.
pub(super) fn count(state: &State, status: RefundState) {
    let label = status.as_str();
    state.meters.refunds.with_label_values(&[label]).inc();
}
