//! Requests for chats: who was asked, who declined, who won and how fast.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::{OverseenRequest, REQUEST_STATUSES, RequestFilter, Window};
use halobestie_core::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Page, PageQuery, one_of};
use crate::act::Caller;
use crate::names::{Named, Names};
use crate::state::State;

/// A request.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::ChatRequest)]
pub(crate) struct RequestView {
    pub(crate) id: Uuid,
    pub(crate) customer: Named,
    /// `searching`, `matched`, `expired` or `cancelled`.
    pub(crate) status: String,
    pub(crate) topic: Option<String>,
    pub(crate) package: Value,
    /// Who was asked first.
    pub(crate) preferred_mitra: Option<Named>,
    /// To how many it was offered.
    pub(crate) offered_to: i64,
    /// How many of them declined.
    pub(crate) declined: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    /// Who won it.
    pub(crate) winner: Option<Named>,
    /// From the request to the win.
    pub(crate) won_after_ms: Option<u64>,
    /// The session that came of it.
    pub(crate) session_id: Option<Uuid>,
    /// The session that looks for another mitra by it.
    pub(crate) reroute_of: Option<Uuid>,
}

impl RequestView {
    fn new(it: OverseenRequest, names: &Names) -> Self {
        let won_after = it.winner_id.and(it.closed_at);
        let won_after = won_after.map(|at| at.since(it.created_at).as_millis());
        Self {
            id: it.id,
            customer: names.named(it.customer_id),
            status: it.status,
            topic: it.topic,
            package: it.package,
            preferred_mitra: it.preferred_mitra_id.map(|id| names.named(id)),
            offered_to: it.offered_to,
            declined: it.declined,
            created_at: it.created_at,
            expires_at: it.expires_at,
            closed_at: it.closed_at,
            winner: it.winner_id.map(|id| names.named(id)),
            won_after_ms: won_after.and_then(|ms| u64::try_from(ms).ok()),
            session_id: it.session_id,
            reroute_of: it.reroute_of,
        }
    }
}

/// A page of requests; `window.limit` is the page's.
///
/// # Errors
/// `module_off`, or that Postgres does not answer.
pub(crate) async fn list_of(
    state: &State,
    filter: &RequestFilter,
    window: Window,
) -> Result<(Vec<RequestView>, Option<String>), Problem> {
    let one_more = Window {
        limit: window.limit + 1,
        ..window
    };
    let mut found = state.sessions()?.requests(filter, one_more).await?;
    let next = paging::cut(&mut found, window.limit, |it| it.id);
    Ok((named(state, found).await?, next))
}

async fn named(state: &State, found: Vec<OverseenRequest>) -> Result<Vec<RequestView>, Problem> {
    let people = found.iter().flat_map(|it| {
        let others = [it.preferred_mitra_id, it.winner_id];
        std::iter::once(it.customer_id).chain(others.into_iter().flatten())
    });
    let names = Names::of(state, people).await?;
    let view = |it| RequestView::new(it, &names);
    Ok(found.into_iter().map(view).collect())
}

/// An offer of a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::Offer)]
pub(crate) struct OfferView {
    pub(crate) mitra: Named,
    pub(crate) offered_at: Timestamp,
    pub(crate) declined_at: Option<Timestamp>,
    /// Whether they won the request.
    pub(crate) won: bool,
}

/// A request with its offers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::ChatRequestDetail)]
pub(crate) struct RequestDetail {
    #[serde(flatten)]
    pub(crate) request: RequestView,
    /// In the order in which they were made; at most a thousand.
    pub(crate) offers: Vec<OfferView>,
}

/// One request with its offers.
///
/// # Errors
/// `not_found`, `module_off`, or that Postgres does not answer.
pub(crate) async fn find(state: &State, id: Uuid) -> Result<RequestDetail, Problem> {
    let sessions = state.sessions()?;
    let found = sessions.request(id).await?;
    let found = named(state, found.into_iter().collect()).await?;
    let request = found.into_iter().next().ok_or_else(Problem::not_found)?;
    let offers = sessions.offers(id).await?;
    let names = Names::of(state, offers.iter().map(|it| it.mitra_id)).await?;
    let winner = request.winner.as_ref().map(|it| it.id);
    let offers = offers.into_iter().map(|it| OfferView {
        mitra: names.named(it.mitra_id),
        offered_at: it.offered_at,
        declined_at: it.declined_at,
        won: winner == Some(it.mitra_id),
    });
    Ok(RequestDetail {
        offers: offers.collect(),
        request,
    })
}

/// How many days are searched for what was offered to somebody. No index leads from a mitra to their
/// offers, so every request of these days is looked at; one would make an offer to everybody, the dearest
/// statement of all, several times as dear.
pub(crate) const OFFERED_DAYS: u64 = 7;

/// The window, bounded where requests are searched by whom they were offered to: to the last days of it.
///
/// # Errors
/// `validation_failed` on more days.
pub(crate) fn bounded(
    filter: &RequestFilter,
    window: Window,
    now: Timestamp,
) -> Result<Window, Problem> {
    if filter.offered_to.is_none() {
        return Ok(window);
    }
    let until = window.until.unwrap_or(now);
    let first = until - Duration::from_secs(OFFERED_DAYS * 24 * 3600);
    match window.since {
        Some(since) if since < first => Err(Problem::invalid(
            "since",
            format!(
                "must be at most {OFFERED_DAYS} days before `until`, or before now, where offers to \
                 one mitra are searched"
            ),
        )),
        since => Ok(Window {
            since: since.or(Some(first)),
            ..window
        }),
    }
}

/// A filter by status.
pub(crate) fn status(text: &str) -> Option<String> {
    REQUEST_STATUSES.contains(&text).then(|| text.to_owned())
}

/// Which requests to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RequestQuery {
    /// `searching`, `matched`, `expired` or `cancelled`.
    status: Option<String>,
    /// By this customer.
    customer_id: Option<Uuid>,
    /// Offered to this mitra, within at most 7 days: the last ones, unless `since` and `until` say others.
    mitra_id: Option<Uuid>,
    /// Not before this instant.
    since: Option<String>,
    /// Before this instant.
    until: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageQuery,
}

/// List requests
#[utoipa::path(
    operation_id = "admin_requests",
    get, path = "/api/admin/requests", tag = "admin", security(("bearer" = [])),
    params(RequestQuery, PageQuery),
    responses(
        (status = 200, description = "A page", body = Page<RequestView>),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let query: RequestQuery = req.query()?;
    let filter = RequestFilter {
        status: one_of("status", query.status.as_deref(), status)?,
        customer_ids: query.customer_id.map(|id| vec![id]),
        offered_to: query.mitra_id.map(|id| vec![id]),
    };
    let window = Window {
        limit: query.page.limit()?,
        since: one_of("since", query.since.as_deref(), Timestamp::parse)?,
        until: one_of("until", query.until.as_deref(), Timestamp::parse)?,
        ..query.page.window()?
    };
    let window = bounded(&filter, window, state.clock.now())?;
    let (items, next_cursor) = list_of(&state, &filter, window).await?;
    reply::ok(&Page { items, next_cursor })
}

/// Show a request with its offers
#[utoipa::path(
    operation_id = "admin_request",
    get, path = "/api/admin/requests/{id}", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request")),
    responses(
        (status = 200, description = "The request", body = RequestDetail),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, _: Caller, req: Request) -> Reply {
    reply::ok(&find(&state, req.param("id")?).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_to_somebody_are_searched_in_a_week_at_most() {
        let at = |text| Timestamp::parse(text).unwrap();
        let now = at("2026-01-15T08:00:00Z");
        let theirs = RequestFilter {
            offered_to: Some(vec![Uuid::nil()]),
            ..RequestFilter::default()
        };
        let all = Window::latest(10);
        let since = |window: Result<Window, Problem>| window.ok().and_then(|it| it.since);
        assert_eq!(since(bounded(&RequestFilter::default(), all, now)), None);
        let week = at("2026-01-08T08:00:00Z");
        assert_eq!(since(bounded(&theirs, all, now)), Some(week));
        let long = Window {
            since: Some(at("2025-12-01T00:00:00Z")),
            ..all
        };
        let refused = bounded(&theirs, long, now).err().unwrap();
        assert_eq!(refused.field_errors()[0].field, "since");
        let then = Window {
            until: Some(at("2025-12-08T00:00:00Z")),
            ..long
        };
        assert!(bounded(&theirs, then, now).is_ok());
    }
}
