//! Money that goes back. (Being written: the signatures that the rest of the module relies on.)

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::jobs::{Attempt, Failure, Handler, Job, Policy};
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::{AfterCommit, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::RefundEvent;
use crate::state::State;
use crate::store::payments::PaymentRow;

/// Why money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundReason {
    /// What was paid for can no longer be delivered.
    TooLate,
    /// It was paid already.
    SecondPayment,
    /// An admin wants it.
    Requested,
}

/// Asks Xendit for a refund.
#[derive(Serialize, Deserialize)]
pub(crate) struct SendRefund {
    pub(crate) refund_id: Uuid,
}

impl Job for SendRefund {
    const KIND: &'static str = "send-refund";
    const POLICY: Policy = Policy {
        timeout: Duration::from_secs(30),
        ..Policy::DEFAULT
    };
}

/// Who sends refunds.
pub(crate) fn sending(state: Arc<State>) -> Handler {
    Handler::new(move |attempt: Attempt<SendRefund>| {
        let state = state.clone();
        async move {
            let _ = (state.now(), attempt.payload.refund_id);
            Err(Failure::give_up("refunds are not sent yet"))
        }
    })
}

/// Writes in `tx` that so much of what came in for a payment is to go back: the refund's row, its job, and
/// the payment's status by [`crate::payment_state::PaymentEvent::RefundAsked`]. `payment` is the row as
/// this transaction has changed it last; where somebody else has changed it since, `None` is returned and
/// the transaction is to be given up.
pub(crate) async fn want(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    amount: i64,
    reason: RefundReason,
    now: Timestamp,
) -> Result<Option<AfterCommit<'static>>, DbError> {
    let _ = (state, tx, payment, amount, reason, now);
    Ok(Some(AfterCommit::new(async {})))
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
    let _ = (state, tx, event, now);
    Ok((Told::Unknown, AfterCommit::new(async {})))
}
