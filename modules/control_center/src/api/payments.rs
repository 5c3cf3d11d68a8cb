//! Payments.

use std::sync::Arc;

use halobestie_core::http::request::parse_json;
use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::idempotency::Key;
use halobestie_core::ports::{
    OverseenPayment, OverseenRefund, Payment, PaymentEvent, PaymentFilter, PaymentStatus, Window,
};
use halobestie_core::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Page, PageQuery, one_of};
use crate::act::Caller;
use crate::acts::payments::{self as acts, AskRefund, RefundAsked};
use crate::names::{Named, Names};
use crate::state::State;

/// Payments of one session that are shown with it.
const OF_SESSION_MAX: i64 = 100;

/// A payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::Payment)]
pub(crate) struct PaymentView {
    #[serde(flatten)]
    pub(crate) payment: Payment,
    pub(crate) customer: Named,
    /// What the customer reads on the invoice.
    pub(crate) description: String,
    /// What the provider knows it by.
    pub(crate) invoice_id: Option<String>,
    /// All that came in for it, in whole rupiah.
    pub(crate) paid_amount: i64,
    /// What has gone back or is on its way, in whole rupiah.
    pub(crate) refunded_amount: i64,
    /// What can still be asked back, in whole rupiah.
    pub(crate) refundable: i64,
    /// Why somebody has to look at it.
    pub(crate) review_reason: Option<String>,
    pub(crate) created_at: Timestamp,
}

impl PaymentView {
    fn new(it: OverseenPayment, names: &Names) -> Self {
        Self {
            payment: it.payment,
            customer: names.named(it.customer_id),
            description: it.description,
            invoice_id: it.invoice_id,
            paid_amount: it.paid_amount,
            refunded_amount: it.refunded_amount,
            refundable: it.refundable,
            review_reason: it.review_reason,
            created_at: it.created_at,
        }
    }
}

/// A page of payments; `window.limit` is the page's.
///
/// # Errors
/// `module_off`, or that Postgres does not answer.
pub(crate) async fn list_of(
    state: &State,
    filter: &PaymentFilter,
    window: Window,
) -> Result<(Vec<PaymentView>, Option<String>), Problem> {
    let one_more = Window {
        limit: window.limit + 1,
        ..window
    };
    let mut found = state.payments()?.payments(filter, one_more).await?;
    let next = paging::cut(&mut found, window.limit, |it| it.payment.id);
    Ok((named(state, found).await?, next))
}

/// The payments of a session; none where payments are off.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn of_session(state: &State, id: Uuid) -> Result<Vec<PaymentView>, Problem> {
    let Ok(payments) = state.payments() else {
        return Ok(Vec::new());
    };
    let filter = PaymentFilter {
        session_id: Some(id),
        ..PaymentFilter::default()
    };
    let found = payments.payments(&filter, Window::latest(OF_SESSION_MAX));
    named(state, found.await?).await
}

/// One payment.
///
/// # Errors
/// `not_found`, `module_off`, or that Postgres does not answer.
pub(crate) async fn find(state: &State, id: Uuid) -> Result<PaymentView, Problem> {
    let found = state.payments()?.payment(id).await?;
    let found = named(state, found.into_iter().collect()).await?;
    found.into_iter().next().ok_or_else(Problem::not_found)
}

async fn named(state: &State, found: Vec<OverseenPayment>) -> Result<Vec<PaymentView>, Problem> {
    let names = Names::of(state, found.iter().map(|it| it.customer_id)).await?;
    let view = |it| PaymentView::new(it, &names);
    Ok(found.into_iter().map(view).collect())
}

/// Which payments to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentQuery {
    /// Where they are: `pending`, `paid`, `needs_review` and so on.
    status: Option<String>,
    /// By this customer.
    customer_id: Option<Uuid>,
    /// For this session.
    session_id: Option<Uuid>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageQuery,
}

/// List payments
#[utoipa::path(
    operation_id = "admin_payments",
    get, path = "/api/admin/payments", tag = "admin", security(("bearer" = [])),
    params(PaymentQuery, PageQuery),
    responses(
        (status = 200, description = "A page; empty where payments are off", body = Page<PaymentView>),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let query: PaymentQuery = req.query()?;
    let filter = PaymentFilter {
        status: one_of("status", query.status.as_deref(), PaymentStatus::parse)?,
        customer_ids: query.customer_id.map(|id| vec![id]),
        session_id: query.session_id,
    };
    let window = Window {
        limit: query.page.limit()?,
        ..query.page.window()?
    };
    let (items, next_cursor) = match state.payments() {
        Ok(_) => list_of(&state, &filter, window).await?,
        Err(_) => (Vec::new(), None),
    };
    reply::ok(&Page { items, next_cursor })
}

/// A payment with its history.
#[derive(Serialize, ToSchema)]
#[schema(as = control_center::PaymentDetail)]
pub(crate) struct PaymentDetail {
    #[serde(flatten)]
    payment: PaymentView,
    /// What happened to it, oldest first.
    events: Vec<PaymentEvent>,
}

/// Show a payment with its events
#[utoipa::path(
    operation_id = "admin_payment",
    get, path = "/api/admin/payments/{id}", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The payment")),
    responses(
        (status = 200, description = "The payment", body = PaymentDetail),
        (status = 404, description = "`not_found`; `module_off` where payments are off"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let payment = find(&state, id).await?;
    let events = state.payments()?.payment_history(id).await?;
    reply::ok(&PaymentDetail { payment, events })
}

/// The refunds of a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = control_center::Refunds)]
pub(crate) struct Refunds {
    /// Oldest first, those that failed included.
    items: Vec<OverseenRefund>,
    /// Whole rupiah that can still be asked back.
    refundable: i64,
    /// Why somebody has to look at the payment, or last had to.
    review_reason: Option<String>,
}

/// List the refunds of a payment
///
/// Those that went, are on their way, and failed; and what can still go back.
#[utoipa::path(
    operation_id = "admin_payment_refunds",
    get, path = "/api/admin/payments/{id}/refunds", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The payment")),
    responses(
        (status = 200, description = "Its refunds", body = Refunds),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 404, description = "`not_found`; `module_off` where payments are off"),
    ),
)]
pub(crate) async fn refunds(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let payments = state.payments()?;
    let payment = payments.payment(id).await?;
    let payment = payment.ok_or_else(Problem::not_found)?;
    reply::ok(&Refunds {
        items: payments.refunds(id).await?,
        refundable: payment.refundable,
        review_reason: payment.review_reason,
    })
}

/// Refund a payment
///
/// All that can still go back, or a part of it. The payment is `refund_pending` until the money has gone,
/// then `refunded`, or `paid` again where only a part of it went. What the provider cannot give back makes
/// it `needs_review` with a reason: give the money back by hand and write that down with `by_hand`.
#[utoipa::path(
    operation_id = "admin_payment_refund",
    post, path = "/api/admin/payments/{id}/refund", tag = "admin", security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The payment"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gets the first answer again for 24 h"),
    ),
    request_body = AskRefund,
    responses(
        (status = 202, description = "Taken down", body = RefundAsked),
        (status = 403, description = "`forbidden`: operators and owners"),
        (status = 404, description = "`not_found`; `module_off` where payments are off"),
        (status = 409, description = "`not_refundable`: nothing, or less than was asked for, can go back; `idempotency_conflict`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn refund(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let body = req.json_bytes().await?;
    let key = Key::of(&req, caller.id(), "payments.refund", &body)?;
    let asked: AskRefund = parse_json(&body)?;
    acts::refund(&state, &caller, id, &asked, key.as_ref()).await
}
