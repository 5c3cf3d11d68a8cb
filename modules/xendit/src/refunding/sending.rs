//! The job that sees a refund through: it asks Xendit for it, then looks until it has ended.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::doctor::with_causes;
use halobestie_core::jobs::{Attempt, Failure, Handler, Job, NewJob, Policy};
use halobestie_core::sweep::{Sweep, Swept};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ending::{News, fail, settle};
use super::state::{Refusal, refusal};
use crate::gateway::{NewRefund, Refund};
use crate::state::State;
use crate::store::refunds::{self as store, RefundRow};

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

/// One job at a time for a refund.
pub(super) fn job(refund_id: Uuid) -> NewJob<SendRefund> {
    NewJob::of(SendRefund { refund_id }).key(refund_id)
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
        let why = "no end of it within two weeks; ask Xendit before paying it by hand";
        return Ok(fail(state, &refund, why).await?);
    }
    let theirs = match &refund.refund_id {
        Some(theirs) => look(state, theirs, attempt).await?,
        None => match send(state, &refund, attempt).await? {
            Some(theirs) => theirs,
            None => return Ok(()),
        },
    };
    let news = News::of(&theirs.id, &theirs.status, theirs.failure_code.as_deref());
    settle(state, &refund, &news).await?;
    match news {
        News::Taken { .. } => Err(again(state, &refund)),
        News::Succeeded { .. } | News::Failed { .. } => Ok(()),
    }
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
    let asked = NewRefund {
        refund_id: refund.id,
        invoice_id: &refund.invoice_id,
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
        Some(_) => {
            fail(state, refund, &said).await?;
            Ok(None)
        }
        None if attempt.is_last() => {
            let why = format!("{said}; Xendit may have it all the same: look there first");
            fail(state, refund, &why).await?;
            Ok(None)
        }
        None => Err(error.into_failure()),
    }
}
