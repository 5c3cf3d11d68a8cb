//! Requests for chats: who was asked, who declined, who won and how fast.

use std::sync::Arc;

use askama::Template;
use halobestie_core::http::{Reply, Request};
use halobestie_core::ports::{RequestFilter, Role};

use super::frame::{Frame, REQUESTS};
use super::list::{Asked, ListView};
use super::{length, page, people, tag, when};
use crate::act::Caller;
use crate::api::requests::{
    OFFERED_DAYS, RequestDetail, RequestView, bounded, find, list_of, status,
};
use crate::state::State;

#[derive(Template)]
#[template(path = "pages/requests.html")]
struct Requests {
    frame: Frame,
    list: ListView,
    requests: Vec<RequestView>,
    /// How many days the list is of, where nobody asked for days.
    days: Option<u64>,
}

/// The list.
pub(crate) async fn list(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let asked = Asked::of(&req)?;
    let filter = RequestFilter {
        status: asked.read("status", status)?,
        customer_ids: people::meant(&state, Role::Customer, "customer", &asked).await?,
        offered_to: people::meant(&state, Role::Mitra, "mitra", &asked).await?,
    };
    let window = asked.window()?;
    let bounded = bounded(&filter, window, state.clock.now())?;
    let (requests, next) = list_of(&state, &filter, bounded).await?;
    let list = ListView::new(asked, next)
        .text("customer", "Customer", "name, phone or id")
        .text("mitra", "Offered to", "name, phone or id")
        .choice("status", "Status", statuses())
        .days();
    page(&Requests {
        frame: Frame::new(&caller.admin, REQUESTS, "Requests"),
        list,
        requests,
        days: (bounded.since != window.since).then_some(OFFERED_DAYS),
    })
}

fn statuses() -> Vec<(&'static str, &'static str)> {
    vec![
        ("searching", "searching"),
        ("matched", "matched"),
        ("expired", "expired"),
        ("cancelled", "cancelled"),
    ]
}

#[derive(Template)]
#[template(path = "pages/request.html")]
struct RequestPage {
    frame: Frame,
    it: RequestView,
    offers: Vec<Offer>,
}

/// An offer, and how long after the request.
struct Offer {
    view: crate::api::requests::OfferView,
    after: String,
    answered_after: Option<String>,
}

/// One request.
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let RequestDetail { request, offers } = find(&state, req.param("id")?).await?;
    let offers = offers.into_iter().map(|view| {
        let answered_at = if view.won {
            request.closed_at
        } else {
            view.declined_at
        };
        let ms = |from, to: halobestie_core::Timestamp| to.since(from).as_millis();
        let said = |ms: u128| length::of_ms(i64::try_from(ms).unwrap_or(i64::MAX));
        Offer {
            after: said(ms(request.created_at, view.offered_at)),
            answered_after: answered_at.map(|at| said(ms(view.offered_at, at))),
            view,
        }
    });
    page(&RequestPage {
        frame: Frame::new(&caller.admin, REQUESTS, "Request"),
        offers: offers.collect(),
        it: request,
    })
}

/// How fast a request was won, or a dash.
fn won_after(request: &RequestView) -> String {
    let ms = request.won_after_ms.and_then(|ms| i64::try_from(ms).ok());
    ms.map_or_else(|| "–".to_owned(), length::of_ms)
}
