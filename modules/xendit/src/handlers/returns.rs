//! Where a browser lands after paying. What it reads there is true here, whatever brought it; it changes
//! nothing.

use std::sync::Arc;

use halobestie_core::http::html::styled;
use halobestie_core::http::{Reply, Request};
use halobestie_core::language::Language;
use halobestie_core::pg::DbError;
use http::StatusCode;
use http::header::{HeaderValue, VARY};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::return_page::{Outcome, STYLE, Shown, render};
use crate::state::State;
use crate::store::payments::{self, PaymentRow};

/// The page after paying.
pub(crate) const SUCCESS: &str = "/payment/return/success";
/// The page otherwise.
pub(crate) const FAILURE: &str = "/payment/return/failure";
/// The path in the app.
const APP_PATH: &str = "payments";

/// What a link brings.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReturnQuery {
    /// Which payment.
    payment_id: Option<String>,
    /// That we have made the link: without it, the page says nothing of the payment.
    sig: Option<String>,
}

/// Where the browser of whoever pays this is sent: afterwards, and otherwise.
pub(crate) fn links(state: &State, payment_id: Uuid) -> (String, String) {
    let query = state.link_key.query(payment_id);
    let base = state.server.public_base_url.trim_end_matches('/');
    let ours = |page: &str| format!("{base}{page}?{query}");
    let success = state.success_url.clone().unwrap_or_else(|| ours(SUCCESS));
    let failure = state.failure_url.clone().unwrap_or_else(|| ours(FAILURE));
    (success, failure)
}

/// Back from paying
///
/// A small page, in Indonesian or English by `Accept-Language`, that says where the payment is. It is read
/// from the database: coming here proves nothing and changes nothing. Only the link that went out with
/// the invoice shows a payment; any other shows a page that says nothing. It loads itself again while the
/// payment waits, and links to the app (`APP_DEEP_LINK`).
#[utoipa::path(
    operation_id = "payment_return_success",
    get, path = "/payment/return/success", tag = "payments", params(ReturnQuery),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
)]
pub(crate) async fn success(state: Arc<State>, req: Request) -> Reply {
    page(&state, &asked(&req), Outcome::Success).await
}

/// Back without having paid
///
/// As `/payment/return/success`; a payment that can still be paid has a link to do so.
#[utoipa::path(
    operation_id = "payment_return_failure",
    get, path = "/payment/return/failure", tag = "payments", params(ReturnQuery),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
)]
pub(crate) async fn failure(state: Arc<State>, req: Request) -> Reply {
    page(&state, &asked(&req), Outcome::Failure).await
}

/// What a browser asks for.
struct Asked {
    language: Language,
    payment_id: Option<Uuid>,
    signature: String,
}

/// A query that cannot be read is a link that is not ours.
fn asked(req: &Request) -> Asked {
    let query = req.query::<ReturnQuery>().ok();
    let (payment_id, sig) = query.map_or((None, None), |it| (it.payment_id, it.sig));
    Asked {
        language: Language::accepted(req.header("accept-language").unwrap_or_default()),
        payment_id: payment_id.and_then(|id| Uuid::parse_str(&id).ok()),
        signature: sig.unwrap_or_default(),
    }
}

async fn page(state: &State, asked: &Asked, outcome: Outcome) -> Reply {
    let payment = payment(state, asked).await?;
    let shown = payment.as_ref().map(|row| Shown {
        status: row.status,
        amount: row.amount,
        invoice_url: row.invoice_url.as_deref(),
    });
    let app_link = match &payment {
        Some(row) => state.server.app_link(&format!("{APP_PATH}/{}", row.id)),
        None => state.server.app_link(APP_PATH),
    };
    let page = render(shown.as_ref(), outcome, asked.language, &app_link);
    let mut response = styled(StatusCode::OK, page, STYLE);
    let vary = HeaderValue::from_static("accept-language");
    response.headers_mut().append(VARY, vary);
    Ok(response)
}

/// The payment of a link that is ours.
async fn payment(state: &State, asked: &Asked) -> Result<Option<PaymentRow>, DbError> {
    let Some(id) = asked.payment_id else {
        return Ok(None);
    };
    if !state.link_key.is_ours(id, &asked.signature) {
        return Ok(None);
    }
    payments::find(&state.db, id).await
}
