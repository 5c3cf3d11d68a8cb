//! One payment: what came, what went back, and giving it back.

use std::sync::Arc;

use askama::Template;
use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, Response};
use halobestie_core::idempotency::Key;
use halobestie_core::ports::{OverseenRefund, PaymentEvent, PaymentStatus};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::confirm::{Asked, Confirm};
use super::dashboard::rupiah;
use super::form::Wrongs;
use super::frame::{Frame, PAYMENTS};
use super::{Done, page_with, people, see, tag, when};
use crate::act::Caller;
use crate::acts::payments::{self as acts, AskRefund};
use crate::api::payments::{PaymentView, find};
use crate::state::State;

#[derive(Template)]
#[template(path = "pages/payment.html")]
struct PaymentPage {
    frame: Frame,
    it: PaymentView,
    refunds: Vec<OverseenRefund>,
    events: Vec<PaymentEvent>,
    /// The buttons that give money back, where any can go.
    ways: Vec<Confirm>,
    /// Why a refund was not taken down.
    wrong: Option<String>,
}

/// The page.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let (id, done): (Uuid, Done) = (req.param("id")?, req.query().unwrap_or_default());
    drop(req);
    let frame = Frame::new(&caller.admin, PAYMENTS, "Payment").notice(done.text());
    drawn(&state, frame, id, None).await
}

async fn drawn(state: &State, frame: Frame, id: Uuid, refusal: Option<(Wanted, Problem)>) -> Reply {
    let it = find(state, id).await?;
    let payments = state.payments()?;
    let (refunds, events) = (
        payments.refunds(id).await?,
        payments.payment_history(id).await?,
    );
    let key = state.entropy.uuid(&state.clock);
    let (wanted, status, wrong) = match refusal {
        Some((wanted, problem)) => (wanted, problem.status(), told(&problem)),
        None => (Wanted::default(), StatusCode::OK, None),
    };
    let ways = if may_go_back(&it) {
        vec![by_xendit(&it, &wanted, key), by_hand(&it, &wanted, key)]
    } else {
        Vec::new()
    };
    let shown = PaymentPage {
        frame,
        it,
        refunds,
        events,
        ways,
        wrong,
    };
    page_with(status, &shown)
}

/// What a problem says about the form, all of it.
fn told(problem: &Problem) -> Option<String> {
    Wrongs::of(problem).besides(&[])
}

/// Whether a button makes sense. Whether money goes is decided where the payment is locked.
fn may_go_back(it: &PaymentView) -> bool {
    use PaymentStatus::{NeedsReview, Paid, RefundPending};
    it.refundable > 0 && matches!(it.payment.status, Paid | RefundPending | NeedsReview)
}

fn by_xendit(it: &PaymentView, wanted: &Wanted, key: Uuid) -> Confirm {
    let most = rupiah(it.refundable);
    Confirm {
        id: "refund".to_owned(),
        button: "Refund",
        question: format!("Refund {}?", it.customer.display_name),
        consequence: format!(
            "Xendit gives the money back the way it came; {most} can go at most. The payment is \
             “refund pending” until the money has gone, and the customer sees it. This cannot be \
             taken back. The session stays as it is."
        ),
        action: format!("/payments/{}/refund", it.payment.id),
        hidden: vec![("key", key.to_string())],
        asked: fields(it, wanted),
        is_danger: true,
    }
}

fn by_hand(it: &PaymentView, wanted: &Wanted, key: Uuid) -> Confirm {
    Confirm {
        id: "by-hand".to_owned(),
        button: "Write down a refund by hand",
        question: "Has the money been given back already?".to_owned(),
        consequence: format!(
            "Nothing is sent: only write down what you have transferred to {} yourself. It counts as \
             given back at once, and cannot be taken back.",
            it.customer.display_name
        ),
        action: format!("/payments/{}/refund", it.payment.id),
        hidden: vec![("by_hand", "true".to_owned()), ("key", key.to_string())],
        asked: fields(it, wanted),
        is_danger: false,
    }
}

fn fields(it: &PaymentView, wanted: &Wanted) -> Vec<Asked> {
    let all = it.refundable.to_string();
    vec![
        Asked {
            name: "amount",
            label: "Amount, in whole rupiah",
            kind: "number",
            value: wanted.amount.clone().unwrap_or(all),
            is_required: true,
        },
        Asked {
            name: "reason",
            label: "Reason, for whoever reads it later",
            kind: "text",
            value: wanted.reason.clone(),
            is_required: true,
        },
    ]
}

/// The form's fields.
#[derive(Clone, Default, Deserialize)]
struct Wanted {
    amount: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    by_hand: bool,
    /// Of this drawing of the form: sent twice, it is done once.
    #[serde(default)]
    key: String,
}

/// What the buttons send.
pub(crate) async fn refund(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let path = req.uri().path().to_owned();
    let wanted: Wanted = req.form().await?;
    match ask(&state, &caller, id, &path, &wanted).await {
        Ok(_) if wanted.by_hand => see(&format!("/payments/{id}?done=by-hand")),
        Ok(_) => see(&format!("/payments/{id}?done=refunded")),
        Err(problem) if matches!(problem.status().as_u16(), 409 | 422) => {
            let frame = Frame::new(&caller.admin, PAYMENTS, "Payment");
            drawn(&state, frame, id, Some((wanted, problem))).await
        }
        Err(problem) => Err(problem),
    }
}

async fn ask(
    state: &State,
    caller: &Caller,
    id: Uuid,
    path: &str,
    wanted: &Wanted,
) -> Result<Response, Problem> {
    let text = wanted.amount.as_deref().unwrap_or_default();
    let amount = text.trim().parse();
    let amount: i64 = amount.map_err(|_| Problem::invalid("amount", "must be whole rupiah"))?;
    let asked = AskRefund {
        amount: Some(amount),
        reason: wanted.reason.clone(),
        by_hand: wanted.by_hand,
    };
    let body = format!("{amount} {} {}", wanted.by_hand, wanted.reason);
    let route = "payments.refund.page";
    let key = Key::named(&wanted.key, path, caller.id(), route, body.as_bytes())?;
    acts::refund(state, caller, id, &asked, Some(&key)).await
}

/// A value as people read it.
fn shown(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
