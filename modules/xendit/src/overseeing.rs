//! Payments as admins see them, and money that goes back by their order: through Xendit, or written down
//! where a person has made it.

use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{
    OverseenPayment, OverseenRefund, Paid, PaymentEvent, PaymentFilter, PaymentsOversight,
    RefundOrder, RefundTaken, Window,
};
use halobestie_core::{AfterCommit, Problem, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::error::PaymentError;
use crate::refunding::{self, RefundReason, Wish, may_go_back};
use crate::state::State;
use crate::store::oversight;
use crate::store::refunds::{self, RefundRow};

/// What an admin writes at most.
const REASON_CHARS_MAX: usize = 500;

/// Sees every payment.
pub(crate) struct Overseer(pub(crate) Arc<State>);

#[async_trait]
impl PaymentsOversight for Overseer {
    async fn paid(&self, since: Timestamp, until: Timestamp) -> Result<Paid, DbError> {
        oversight::paid(&self.0.db, since, until).await
    }

    async fn payments(
        &self,
        filter: &PaymentFilter,
        window: Window,
    ) -> Result<Vec<OverseenPayment>, DbError> {
        oversight::list(&self.0.db, filter, window).await
    }

    async fn payment(&self, id: Uuid) -> Result<Option<OverseenPayment>, DbError> {
        oversight::find(&self.0.db, id).await
    }

    async fn refunds(&self, payment_id: Uuid) -> Result<Vec<OverseenRefund>, DbError> {
        let rows = refunds::of_payment(&self.0.db, payment_id).await?;
        Ok(rows.into_iter().map(shown).collect())
    }

    async fn payment_history(&self, id: Uuid) -> Result<Vec<PaymentEvent>, DbError> {
        let db = &self.0.db;
        let Some(payment) = oversight::find(db, id).await? else {
            return Ok(Vec::new());
        };
        let mut events = vec![event(
            payment.created_at,
            "created",
            format!("{} rupiah are to be paid", payment.payment.amount),
        )];
        events.extend(oversight::heard(db, id).await?.into_iter().map(told));
        events.extend(oversight::received(db, id).await?.into_iter().map(came));
        events.extend(refunds::of_payment(db, id).await?.into_iter().map(went));
        events.sort_by_key(|event| event.at);
        Ok(events)
    }

    async fn refund<'a>(
        &'a self,
        tx: &Tx<'_>,
        order: &RefundOrder,
    ) -> Result<RefundTaken<'a>, Problem> {
        check(order)?;
        let state = &*self.0;
        let payment = refunding::lock(tx, order.payment_id).await?;
        let payment = payment.ok_or_else(Problem::not_found)?;
        let left = refunding::standing(tx, &payment).await?.refundable();
        let amount = order.amount.unwrap_or(left);
        if !may_go_back(payment.status) || amount <= 0 || amount > left {
            return Err(PaymentError::NotRefundable.into());
        }
        let wish = Wish {
            amount,
            reason: RefundReason::Requested,
            note: Some(order.reason.trim()),
            requested_by: Some(order.admin_id),
        };
        let (before, now) = (payment.status, state.now());
        let (refund, payment, job) = if order.by_hand {
            let given = refunding::given_by_hand(state, tx, &payment, &wish, now).await?;
            (given.0, given.1, AfterCommit::new(async {}))
        } else {
            let changed = DbError::Content("a locked payment was changed");
            refunding::ask(state, tx, &payment, &wish, now)
                .await?
                .ok_or(changed)?
        };
        Ok(RefundTaken {
            before,
            after: payment.status,
            refund: shown(refund),
            after_commit: AfterCommit::new(async move {
                job.run().await;
                state.show(&payment);
            }),
        })
    }
}

fn check(order: &RefundOrder) -> Result<(), Problem> {
    if order.amount.is_some_and(|amount| amount <= 0) {
        let message = "must be whole rupiah, more than 0";
        return Err(Problem::invalid("amount", message));
    }
    let length = order.reason.trim().chars().count();
    if length == 0 || length > REASON_CHARS_MAX || order.reason.contains('\0') {
        let message = format!("must have 1 to {REASON_CHARS_MAX} characters");
        return Err(Problem::invalid("reason", message));
    }
    Ok(())
}

fn shown(row: RefundRow) -> OverseenRefund {
    OverseenRefund {
        id: row.id,
        payment_id: row.payment_id,
        amount: row.amount,
        currency: "IDR",
        way: row.way.as_str(),
        status: row.status.as_str(),
        cause: row.reason.as_str(),
        reason: row.note,
        failure: row.failure,
        created_at: row.created_at,
    }
}

fn event(at: Timestamp, kind: &str, text: String) -> PaymentEvent {
    PaymentEvent {
        at,
        kind: kind.to_owned(),
        text,
        data: None,
    }
}

fn told(heard: oversight::Heard) -> PaymentEvent {
    let outcome = heard.outcome.as_deref().unwrap_or("not read yet");
    PaymentEvent {
        // What is no JSON was never taken.
        data: serde_json::from_str(&heard.body).ok(),
        ..event(
            heard.at,
            "webhook",
            format!("{}: {outcome}", heard.event_key),
        )
    }
}

fn came(received: oversight::Received) -> PaymentEvent {
    let by = received.method.as_deref().unwrap_or("a way not told");
    let text = format!("{} rupiah came in by {by}", received.amount);
    event(received.at, "received", text)
}

fn went(refund: RefundRow) -> PaymentEvent {
    let (amount, status) = (refund.amount, refund.status.as_str());
    let text = format!("{amount} rupiah are to go back: {status}");
    PaymentEvent {
        data: Some(json!({
            "refund_id": refund.id, "way": refund.way.as_str(), "cause": refund.reason.as_str(),
            "reason": refund.note, "failure": refund.failure,
        })),
        ..event(refund.created_at, "refund", text)
    }
}
