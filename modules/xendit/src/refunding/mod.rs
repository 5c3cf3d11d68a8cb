//! Money that goes back: a row and a job in the transaction that wants it, a call to Xendit by the
//! job, and an end that a webhook or a later look tells of.
//!
//! The row's id is the idempotency key, so asking again after a lost answer is the same refund. What
//! Xendit will not give back is for a person: the payment needs review and says why. The books are
//! written in the transaction of a refund's end, and only where money went.

mod ending;
mod sending;
mod state;

use halobestie_core::pg::{DbError, Tx};
use halobestie_core::{AfterCommit, Timestamp};
use tracing::error;
use uuid::Uuid;

use crate::event::RefundEvent;
use crate::gateway::Amount;
use crate::ledger::Way;
use crate::payment_state::PaymentEvent;
use crate::state::State;
use crate::store::payments::PaymentRow;
use crate::store::refunds::{self as store, RefundRow};

use self::ending::{News, changed, count, move_on};

pub(crate) use self::ending::{lock, standing};
pub(crate) use self::sending::{RECONCILE, SendRefund, sending, sweep};
pub(crate) use self::state::{RefundReason, RefundState, may_go_back};

/// What is wanted beyond an amount.
pub(crate) struct Wish<'a> {
    pub(crate) amount: i64,
    pub(crate) reason: RefundReason,
    /// What an admin wrote, and who that is.
    pub(crate) note: Option<&'a str>,
    pub(crate) requested_by: Option<Uuid>,
}

/// Writes in `tx` that so much of what came in for a payment is to go back: the refund's row, its job, and
/// the payment's status by [`PaymentEvent::RefundAsked`]. `payment` is the row as this transaction has
/// changed it last; where somebody else has changed it since, `None` is returned and the transaction is
/// to be given up.
pub(crate) async fn want(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    amount: i64,
    reason: RefundReason,
    now: Timestamp,
) -> Result<Option<AfterCommit<'static>>, DbError> {
    let wish = Wish {
        amount,
        reason,
        note: None,
        requested_by: None,
    };
    let wanted = ask(state, tx, payment, &wish, now).await?;
    Ok(wanted.map(|(_, _, job)| job))
}

/// As [`want`], with all that an admin may say; also returns the refund and the payment as it is now.
pub(crate) async fn ask(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    wish: &Wish<'_>,
    now: Timestamp,
) -> Result<Option<(RefundRow, PaymentRow, AfterCommit<'static>)>, DbError> {
    let refund = write(state, tx, payment, wish, Way::Xendit, now).await?;
    let job = state.jobs.enqueue(tx, sending::job(refund.id)).await?;
    let asked = move_on(state, tx, payment, PaymentEvent::RefundAsked, None, now).await?;
    Ok(asked.map(|payment| (refund, payment, job)))
}

/// Writes in `tx` that a person has given money back by a transfer of their own. The payment must be
/// locked by [`lock`].
pub(crate) async fn given_by_hand(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    wish: &Wish<'_>,
    now: Timestamp,
) -> Result<(RefundRow, PaymentRow), DbError> {
    let refund = write(state, tx, payment, wish, Way::ByHand, now).await?;
    let asked = move_on(state, tx, payment, PaymentEvent::RefundAsked, None, now).await?;
    let payment = changed(asked)?;
    let payment = ending::succeeded(state, tx, &payment, &refund, now).await?;
    Ok((refund, payment))
}

async fn write(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    wish: &Wish<'_>,
    way: Way,
    now: Timestamp,
) -> Result<RefundRow, DbError> {
    const UNKNOWN: DbError = DbError::Content("money came by no invoice that is known");
    let new = store::NewRefund {
        id: state.entropy.uuid(&state.clock),
        payment_id: payment.id,
        invoice_id: payment.invoice_id.as_deref().ok_or(UNKNOWN)?,
        amount: wish.amount,
        way,
        reason: wish.reason,
        note: wish.note,
        requested_by: wish.requested_by,
    };
    let refund = store::insert(tx, &new, now).await?;
    count(state, refund.status);
    Ok(refund)
}

/// What became of an event about a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It changed something, or had before.
    Applied,
    /// No refund of ours; maybe not yet.
    Unknown,
}

/// Takes in `tx` what an event says of a refund. What is returned is run after the commit.
pub(crate) async fn told<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    event: &RefundEvent,
    now: Timestamp,
) -> Result<(Told, AfterCommit<'a>), DbError> {
    let nothing = || AfterCommit::new(async {});
    let Some(refund) = ours(tx, event).await? else {
        return Ok((Told::Unknown, nothing()));
    };
    if !is_of(&refund, event) {
        error!(refund.id = %refund.id, amount = ?event.amount, expected = refund.amount,
            "an event tells of another refund under its id: not believed, Xendit is asked");
        return Ok((Told::Applied, nothing()));
    }
    let failure = event.failure_code.as_deref();
    let news = News::of(&event.refund_id, &event.status, failure);
    let changed = ending::take(state, tx, &refund, &news, now).await?;
    let show = AfterCommit::new(async move {
        if let Some(payment) = changed {
            state.show(&payment);
        }
    });
    Ok((Told::Applied, show))
}

/// Whether all that an event tells of a refund is so. Its job asks Xendit where it is not.
fn is_of(refund: &RefundRow, event: &RefundEvent) -> bool {
    let invoice_id = event.invoice_id.as_ref();
    invoice_id.is_none_or(|it| *it == refund.invoice_id)
        && match event.amount {
            Amount::Rupiah(amount) => amount == refund.amount,
            Amount::Absent | Amount::Unreadable => true,
        }
}

/// The refund that an event is about: by our id, or by Xendit's.
async fn ours(tx: &Tx<'_>, event: &RefundEvent) -> Result<Option<RefundRow>, DbError> {
    let id = event.reference_id.as_deref();
    if let Some(id) = id.and_then(|id| Uuid::parse_str(id).ok())
        && let Some(refund) = store::find(tx, id).await?
    {
        // An id of theirs that we know is not to be talked over by another one.
        let is_it = refund
            .refund_id
            .as_ref()
            .is_none_or(|it| *it == event.refund_id);
        return Ok(is_it.then_some(refund));
    }
    store::find_theirs(tx, &event.refund_id).await
}
