//! Payments: those that somebody has to look at, then all.

use std::sync::Arc;

use askama::Template;
use halobestie_core::http::{Reply, Request};
use halobestie_core::ports::{PaymentFilter, PaymentStatus, Role, Window};

use super::dashboard::rupiah;
use super::frame::{Frame, PAYMENTS};
use super::list::{Asked, ListView};
use super::{page, people, tag, when};
use crate::act::Caller;
use crate::api::payments::{PaymentView, list_of};
use crate::state::State;

/// How many of those that somebody has to look at stand before the others.
const REVIEWS_MAX: i64 = 20;

#[derive(Template)]
#[template(path = "pages/payments.html")]
struct Payments {
    frame: Frame,
    list: ListView,
    /// Those that somebody has to look at, the oldest first.
    reviews: Vec<PaymentView>,
    has_more_reviews: bool,
    payments: Vec<PaymentView>,
}

#[derive(Template)]
#[template(path = "pages/payments_off.html")]
struct Off {
    frame: Frame,
}

/// The list.
pub(crate) async fn list(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let frame = Frame::new(&caller.admin, PAYMENTS, "Payments");
    if state.payments().is_err() {
        return page(&Off { frame });
    }
    let asked = Asked::of(&req)?;
    let filter = PaymentFilter {
        status: asked.read("status", PaymentStatus::parse)?,
        customer_ids: people::meant(&state, Role::Customer, "customer", &asked).await?,
        session_id: asked.read("session", |text| text.parse().ok())?,
    };
    let (payments, next) = list_of(&state, &filter, asked.window()?).await?;
    let is_first = asked.after.is_none();
    let list = ListView::new(asked, next)
        .text("customer", "Customer", "name, phone or id")
        .text("session", "Session", "its id")
        .choice("status", "Status", statuses())
        .days();
    let (reviews, more) = if is_first && !list.is_narrowed() {
        to_review(&state).await?
    } else {
        (Vec::new(), None)
    };
    page(&Payments {
        frame,
        list,
        reviews,
        has_more_reviews: more.is_some(),
        payments,
    })
}

async fn to_review(
    state: &State,
) -> Result<(Vec<PaymentView>, Option<String>), halobestie_core::Problem> {
    let filter = PaymentFilter {
        status: Some(PaymentStatus::NeedsReview),
        ..PaymentFilter::default()
    };
    let window = Window {
        oldest_first: true,
        ..Window::latest(REVIEWS_MAX)
    };
    list_of(state, &filter, window).await
}

fn statuses() -> Vec<(&'static str, &'static str)> {
    vec![
        ("needs_review", "needs review"),
        ("creating", "creating"),
        ("pending", "pending"),
        ("paid", "paid"),
        ("expired", "expired"),
        ("failed", "failed"),
        ("refund_pending", "refund pending"),
        ("refunded", "refunded"),
    ]
}
