//! Sessions.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::{
    Happening, OverseenSession, SESSION_STATUSES, SessionFilter, TranscriptMessage, Window,
};
use halobestie_core::{Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::payments::PaymentView;
use super::{Page, PageQuery, number, one_of};
use crate::act::Caller;
use crate::acts::sessions as acts;
use crate::names::{Named, Names};
use crate::state::State;

/// Messages of a page of the transcript.
const MESSAGES_MAX: i64 = 1000;

/// A session.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = control_center::Session)]
pub(crate) struct SessionView {
    pub(crate) id: Uuid,
    pub(crate) request_id: Uuid,
    /// `pending_payment`, `active`, `rerouting` or `ended`.
    pub(crate) status: String,
    pub(crate) customer: Named,
    pub(crate) mitra: Named,
    /// Who had it before, the first first.
    pub(crate) former_mitras: Vec<Named>,
    pub(crate) package: Value,
    pub(crate) topic: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    /// What is left of its time; null before it starts and after it ends.
    pub(crate) remaining_seconds: Option<u64>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) end_reason: Option<String>,
    /// How many messages it has.
    pub(crate) last_seq: i64,
    /// What the customer thought of it, 1 to 5.
    pub(crate) stars: Option<i16>,
    /// When its texts were deleted, because they were too old to be kept.
    pub(crate) erased_at: Option<Timestamp>,
}

impl SessionView {
    fn new(it: OverseenSession, names: &Names, now: Timestamp) -> Self {
        let remaining_seconds = match (it.status.as_str(), it.expires_at, it.paused_ms) {
            ("active", Some(expires_at), _) => Some(expires_at.since(now).as_secs()),
            ("rerouting", _, Some(ms)) => u64::try_from(ms / 1000).ok(),
            _ => None,
        };
        Self {
            id: it.id,
            request_id: it.request_id,
            status: it.status,
            customer: names.named(it.customer_id),
            mitra: names.named(it.mitra_id),
            former_mitras: it
                .former_mitra_ids
                .iter()
                .map(|id| names.named(*id))
                .collect(),
            package: it.package,
            topic: it.topic,
            created_at: it.created_at,
            started_at: it.started_at,
            expires_at: it.expires_at,
            remaining_seconds,
            ended_at: it.ended_at,
            end_reason: it.end_reason,
            last_seq: it.last_seq,
            stars: it.stars,
            erased_at: it.erased_at,
        }
    }
}

/// A page of sessions; `window.limit` is the page's.
///
/// # Errors
/// `module_off`, or that Postgres does not answer.
pub(crate) async fn list_of(
    state: &State,
    filter: &SessionFilter,
    window: Window,
) -> Result<(Vec<SessionView>, Option<String>), Problem> {
    let one_more = Window {
        limit: window.limit + 1,
        ..window
    };
    let mut found = state.sessions()?.sessions(filter, one_more).await?;
    let next = paging::cut(&mut found, window.limit, |it| it.id);
    Ok((named(state, found).await?, next))
}

/// One session.
///
/// # Errors
/// `not_found`, `module_off`, or that Postgres does not answer.
pub(crate) async fn find(state: &State, id: Uuid) -> Result<SessionView, Problem> {
    let found = state.sessions()?.session(id).await?;
    let found = named(state, found.into_iter().collect()).await?;
    found.into_iter().next().ok_or_else(Problem::not_found)
}

async fn named(state: &State, found: Vec<OverseenSession>) -> Result<Vec<SessionView>, Problem> {
    let people = found.iter().flat_map(|it| {
        let former = it.former_mitra_ids.iter().copied();
        [it.customer_id, it.mitra_id].into_iter().chain(former)
    });
    let names = Names::of(state, people).await?;
    let now = state.clock.now();
    let view = |it| SessionView::new(it, &names, now);
    Ok(found.into_iter().map(view).collect())
}

/// A filter by status: one of those that there are, or `open`.
pub(crate) fn status(text: &str) -> Option<String> {
    let is_known = text == "open" || SESSION_STATUSES.contains(&text);
    is_known.then(|| text.to_owned())
}

/// Which sessions to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionQuery {
    /// `pending_payment`, `active`, `rerouting`, `ended`, or `open`: all but `ended`.
    status: Option<String>,
    /// Of this customer or mitra.
    user_id: Option<Uuid>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageQuery,
}

/// List sessions
#[utoipa::path(
    operation_id = "admin_sessions",
    get, path = "/api/admin/sessions", tag = "admin", security(("bearer" = [])),
    params(SessionQuery, PageQuery),
    responses(
        (status = 200, description = "A page", body = Page<SessionView>),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let query: SessionQuery = req.query()?;
    let filter = SessionFilter {
        status: one_of("status", query.status.as_deref(), status)?,
        user_id: query.user_id,
        ..SessionFilter::default()
    };
    let window = Window {
        limit: query.page.limit()?,
        ..query.page.window()?
    };
    let (items, next_cursor) = list_of(&state, &filter, window).await?;
    reply::ok(&Page { items, next_cursor })
}

/// A session with all that is known of it.
#[derive(Serialize, ToSchema)]
#[schema(as = control_center::SessionDetail)]
pub(crate) struct SessionDetail {
    #[serde(flatten)]
    session: SessionView,
    /// What happened to it, oldest first.
    events: Vec<Happening>,
    /// What was and is to be paid for it.
    payments: Vec<PaymentView>,
    /// What was said, ascending by `seq`.
    messages: Vec<TranscriptMessage>,
}

/// Why, and from where on, messages are read.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadQuery {
    /// Why they are read: kept in the audit.
    reason: Option<String>,
    /// Messages after this one; up to a thousand of them.
    #[serde(default, deserialize_with = "number")]
    after_seq: Option<i64>,
}

/// Show a session with its messages
///
/// Who read it, and the reason that was given, is written down in the audit before anything is shown.
#[utoipa::path(
    operation_id = "admin_session",
    get, path = "/api/admin/sessions/{id}", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session"), ReadQuery),
    responses(
        (status = 200, description = "The session", body = SessionDetail),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let (id, query): (Uuid, ReadQuery) = (req.param("id")?, req.query()?);
    let session = find(&state, id).await?;
    let from = (query.after_seq.unwrap_or(0), MESSAGES_MAX);
    let messages = acts::read(&state, &caller, id, query.reason.as_deref(), from).await?;
    let events = state.sessions()?.session_history(id).await?;
    let payments = super::payments::of_session(&state, id).await?;
    reply::ok(&SessionDetail {
        session,
        events,
        payments,
        messages,
    })
}

/// End a session
///
/// Whatever it waits for; the time that was left of it is credited to its customer. Ending one that is
/// over changes nothing.
#[utoipa::path(
    operation_id = "admin_session_end",
    post, path = "/api/admin/sessions/{id}/end", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    responses(
        (status = 200, description = "The session, ended", body = SessionView),
        (status = 403, description = "`forbidden`: operators and owners"),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn end(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    acts::end(&state, &caller, id).await?;
    reply::ok(&find(&state, id).await?)
}
