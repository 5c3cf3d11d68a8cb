//! Payments as their customer sees them.

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::Payment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::state::State;
use crate::store::payments as store;

#[derive(Deserialize)]
struct ListQuery {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A page of payments.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentPage {
    items: Vec<Payment>,
    /// Null on the last page.
    next_cursor: Option<String>,
}

/// My payments
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/customer/payments", tag = "payments", security(("bearer" = [])),
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of payments", body = PaymentPage),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let (caller, query): (_, ListQuery) = (req.caller()?, req.query()?);
    let limit = paging::limit(query.limit)?;
    let before = paging::read_cursor(query.cursor.as_deref())?;
    let rows = store::of_customer(&state.db, caller.user_id, before, limit + 1);
    let mut rows = rows.await?;
    let next_cursor = paging::cut(&mut rows, limit, |row| row.id);
    let items = rows.iter().map(store::PaymentRow::view).collect();
    reply::ok(&PaymentPage { items, next_cursor })
}

/// One of my payments
///
/// Its state as it is known here: paid once the payment provider has told so.
#[utoipa::path(
    get, path = "/api/customer/payments/{id}", tag = "payments", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The payment")),
    responses(
        (status = 200, description = "The payment", body = Payment),
        (status = 404, description = "`not_found`: also for somebody else's"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let (caller, id): (_, Uuid) = (req.caller()?, req.param("id")?);
    let row = store::find(&state.db, id).await?;
    let row = row.filter(|row| row.customer_id == caller.user_id);
    reply::ok(&row.ok_or_else(Problem::not_found)?.view())
}
