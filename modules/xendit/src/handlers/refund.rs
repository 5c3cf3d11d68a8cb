//! A refund by order of an admin: through Xendit, or written down where a person has made it.

use std::sync::Arc;

use halobestie_core::http::request::parse_json;
use halobestie_core::http::{Reply, Request, Response, reply};
use halobestie_core::idempotency::{Begun, Key};
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::PaymentStatus;
use halobestie_core::{AfterCommit, Problem, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::PaymentError;
use crate::refunding::{self, RefundReason, Wish, may_go_back};
use crate::state::State;
use crate::store::payments::{self, PaymentRow};
use crate::store::refunds::{self, RefundRow};

/// What an admin writes at most.
const REASON_CHARS_MAX: usize = 500;

/// What an admin asks for.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct AskRefund {
    /// Whole rupiah; all that can still go back where it is missing.
    #[schema(example = 25_000)]
    amount: Option<i64>,
    /// Why, for whoever reads it later: 1 to 500 characters.
    #[schema(example = "The mitra never answered")]
    reason: String,
    /// Nothing is asked of Xendit: a person has given the money back already, by a transfer of their
    /// own. For what Xendit could not give back.
    #[serde(default)]
    by_hand: bool,
}

/// A refund.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refund {
    /// Its id; also what Xendit knows it by.
    id: Uuid,
    /// Whose money it is.
    payment_id: Uuid,
    /// Whole rupiah.
    amount: i64,
    /// Always `IDR`.
    currency: &'static str,
    /// `xendit`, or `by_hand`.
    way: &'static str,
    /// `wanted`, `pending`, `succeeded` or `failed`.
    status: &'static str,
    /// `too_late`, `second_payment` or `requested`.
    cause: &'static str,
    /// What an admin wrote about it.
    reason: Option<String>,
    /// Why it failed.
    failure: Option<String>,
    /// When it was asked for.
    created_at: Timestamp,
}

impl From<RefundRow> for Refund {
    fn from(row: RefundRow) -> Self {
        Self {
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
}

/// What was taken down, and where the payment is by it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefundAsked {
    refund: Refund,
    /// `refund_pending`; by hand: `refunded`, or what it was if only a part went back.
    payment_status: PaymentStatus,
}

/// The refunds of a payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refunds {
    /// Oldest first, those that failed included.
    items: Vec<Refund>,
    /// Whole rupiah that can still be asked back.
    refundable: i64,
    /// Why somebody has to look at the payment, or last had to.
    review_reason: Option<String>,
}

/// Refund a payment
///
/// All that can still go back, or a part of it. Xendit is asked at once and by a worker: the payment is
/// `refund_pending` until the money has gone, then `refunded`, or `paid` again where only a part of it
/// went. What Xendit cannot give back makes it `needs_review` with a reason: give the money back by hand
/// and write that down by the same call with `by_hand`.
#[utoipa::path(
    operation_id = "payment_refund",
    post, path = "/api/admin/payments/{id}/refund", tag = "admin", security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The payment"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the first answer again for 24 h"),
    ),
    request_body = AskRefund,
    responses(
        (status = 202, description = "Taken down", body = RefundAsked),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`not_refundable`: nothing, or less than was asked for, can go back; `idempotency_conflict`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn refund(state: Arc<State>, mut req: Request) -> Reply {
    let (id, admin_id): (Uuid, _) = (req.param("id")?, req.caller()?.user_id);
    let body = req.json_bytes().await?;
    let key = Key::of(&req, admin_id, "payments.refund", &body)?;
    let asked: AskRefund = parse_json(&body)?;
    check(&asked)?;
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    if let Some(key) = &key
        && let Begun::Replay(answer) = key.begin(&tx, state.now()).await?
    {
        return Ok(answer);
    }
    let done = ask(&state, &tx, id, admin_id, &asked).await?;
    let answer = keep(&tx, key.as_ref(), &done.answer).await?;
    tx.commit().await?;
    drop(client);
    if let Some(job) = done.job {
        job.run().await;
    }
    state.show(&done.payment);
    Ok(answer)
}

fn check(asked: &AskRefund) -> Result<(), Problem> {
    if asked.amount.is_some_and(|amount| amount <= 0) {
        return Err(Problem::invalid(
            "amount",
            "must be whole rupiah, more than 0",
        ));
    }
    let length = asked.reason.trim().chars().count();
    if length == 0 || length > REASON_CHARS_MAX || asked.reason.contains('\0') {
        let message = format!("must have 1 to {REASON_CHARS_MAX} characters");
        return Err(Problem::invalid("reason", message));
    }
    Ok(())
}

async fn keep(tx: &Tx<'_>, key: Option<&Key>, answer: &RefundAsked) -> Result<Response, Problem> {
    match key {
        Some(key) => key.record(tx, StatusCode::ACCEPTED, answer).await,
        None => reply::accepted(answer),
    }
}

/// What was written, and what is left to be done after the commit.
struct Done {
    answer: RefundAsked,
    payment: PaymentRow,
    job: Option<AfterCommit<'static>>,
}

async fn ask(
    state: &State,
    tx: &Tx<'_>,
    id: Uuid,
    admin_id: Uuid,
    asked: &AskRefund,
) -> Result<Done, Problem> {
    let payment = refunding::lock(tx, id).await?;
    let payment = payment.ok_or_else(Problem::not_found)?;
    let left = refunding::standing(tx, &payment).await?.refundable();
    let amount = asked.amount.unwrap_or(left);
    if !may_go_back(payment.status) || amount <= 0 || amount > left {
        return Err(PaymentError::NotRefundable.into());
    }
    let wish = Wish {
        amount,
        reason: RefundReason::Requested,
        note: Some(asked.reason.trim()),
        requested_by: Some(admin_id),
    };
    let now = state.now();
    let (refund, payment, job) = if asked.by_hand {
        let (refund, payment) = refunding::given_by_hand(state, tx, &payment, &wish, now).await?;
        (refund, payment, None)
    } else {
        let (refund, payment, job) = refunding::ask(state, tx, &payment, &wish, now)
            .await?
            .ok_or(DbError::Content("a locked payment was changed"))?;
        (refund, payment, Some(job))
    };
    let answer = RefundAsked {
        refund: refund.into(),
        payment_status: payment.status,
    };
    Ok(Done {
        answer,
        payment,
        job,
    })
}

/// The refunds of a payment
///
/// Those that went, are on their way, and failed; and what can still go back.
#[utoipa::path(
    operation_id = "payment_refunds",
    get, path = "/api/admin/payments/{id}/refunds", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The payment")),
    responses(
        (status = 200, description = "Its refunds", body = Refunds),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let payment = payments::find(&state.db, id).await?;
    let payment = payment.ok_or_else(Problem::not_found)?;
    let rows = refunds::of_payment(&state.db, id).await?;
    let refundable = refunding::Standing::of(payment.paid_amount, &rows).refundable();
    reply::ok(&Refunds {
        items: rows.into_iter().map(Refund::from).collect(),
        refundable,
        review_reason: payment.review_reason,
    })
}
