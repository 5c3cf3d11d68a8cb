//! Giving money back.

use halobestie_core::Problem;
use halobestie_core::http::{Response, reply};
use halobestie_core::idempotency::{Begun, Key};
use halobestie_core::ports::{OverseenRefund, PaymentStatus, RefundOrder};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::subject;
use crate::act::{Caller, Connection, Note};
use crate::state::State;

/// What an admin asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = control_center::AskRefund)]
pub(crate) struct AskRefund {
    /// Whole rupiah; all that can still go back where it is missing.
    #[schema(example = 25_000)]
    pub(crate) amount: Option<i64>,
    /// Why, for whoever reads it later: 1 to 500 characters.
    #[schema(example = "The mitra never answered")]
    pub(crate) reason: String,
    /// Nothing is asked of the provider: a person has given the money back already, by a transfer of
    /// their own. For what the provider could not give back.
    #[serde(default)]
    pub(crate) by_hand: bool,
}

/// What was taken down, and where the payment is by it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = control_center::RefundAsked)]
pub(crate) struct RefundAsked {
    refund: OverseenRefund,
    /// `refund_pending`; by hand: `refunded`, or what it was if only a part went back.
    payment_status: PaymentStatus,
}

/// Takes a refund down; the answer of the API.
///
/// # Errors
/// `validation_failed`, `not_found`, `not_refundable`, `idempotency_conflict`, `module_off`, or that
/// Postgres does not answer.
pub(crate) async fn refund(
    state: &State,
    caller: &Caller,
    id: Uuid,
    asked: &AskRefund,
    key: Option<&Key>,
) -> Result<Response, Problem> {
    let payments = state.payments()?;
    let order = RefundOrder {
        payment_id: id,
        amount: asked.amount,
        reason: asked.reason.trim().to_owned(),
        by_hand: asked.by_hand,
        admin_id: caller.id(),
    };
    let mut connection = Connection::open(state).await?;
    let act = connection.begin(state, caller).await?;
    if let Some(key) = key
        && let Begun::Replay(answer) = key.begin(&act.tx, act.now).await?
    {
        return Ok(answer);
    }
    let taken = payments.refund(&act.tx, &order).await?;
    let asked = RefundAsked {
        payment_status: taken.after,
        refund: taken.refund,
    };
    let answer = match key {
        Some(key) => key.record(&act.tx, StatusCode::ACCEPTED, &asked).await?,
        None => reply::accepted(&asked)?,
    };
    let note = Note {
        action: "payment.refund",
        subject: subject("payment", id),
        before: Some(json!({"status": taken.before})),
        after: Some(json!({
            "status": taken.after, "amount": asked.refund.amount, "reason": order.reason,
            "by_hand": order.by_hand,
        })),
    };
    act.commit(&note).await?;
    drop(connection);
    taken.after_commit.run().await;
    Ok(answer)
}
