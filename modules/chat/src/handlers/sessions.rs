//! Sessions as their two sides see them: list, look, end, give away.

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::Role;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ending::{self, Ender};
use crate::error::ChatError;
use crate::rerouting;
use crate::session_state::SessionStatus;
use crate::state::State;
use crate::store::sessions::{self as store, Listing, SessionRow};
use crate::text;
use crate::views::{Page, Session};

/// The longest reason for giving a session away.
const REASON_CHARS_MAX: usize = 200;

#[derive(Deserialize)]
struct ListQuery {
    status: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// My sessions
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/chat/sessions", tag = "chat", security(("bearer" = [])),
    params(
        ("status" = Option<SessionStatus>, Query, description = "Only those in this status"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of sessions", body = Page<Session>),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let (caller, query): (_, ListQuery) = (req.caller()?, req.query()?);
    let limit = paging::limit(query.limit)?;
    let listing = Listing {
        user_id: caller.user_id,
        role: caller.role,
        status: query.status.as_deref().map(read_status).transpose()?,
        before: paging::read_cursor(query.cursor.as_deref())?,
        limit: limit + 1,
    };
    let mut rows = store::list(&state.db, &listing).await?;
    let next_cursor = paging::cut(&mut rows, limit, |row| row.id);
    let (details, now) = (state.details_of(&rows).await?, state.clock.now());
    let items = rows
        .iter()
        .map(|row| Session::of(row, &details, caller.role, now))
        .collect();
    reply::ok(&Page { items, next_cursor })
}

fn read_status(text: &str) -> Result<SessionStatus, Problem> {
    SessionStatus::parse(text).ok_or_else(|| {
        Problem::invalid(
            "status",
            "must be pending_payment, active, rerouting or ended",
        )
    })
}

/// A session of mine
#[utoipa::path(
    get, path = "/api/chat/sessions/{id}", tag = "chat", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    responses(
        (status = 200, description = "Where the session is", body = Session),
        (status = 404, description = "`not_found`, also for somebody else's"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let (id, caller) = (req.param("id")?, req.caller()?);
    let row = store::find_of(&state.db, caller.user_id, id)
        .await?
        .ok_or(ChatError::NotFound)?;
    answer(&state, &row, caller.role).await
}

async fn answer(state: &State, row: &SessionRow, viewer: Role) -> Reply {
    let details = state.details_of(std::slice::from_ref(row)).await?;
    reply::ok(&Session::of(row, &details, viewer, state.clock.now()))
}

/// End a session
///
/// For good, by either side. Ending it again is 200 with the session as it ended. What the customer ends is
/// consumed; of what the mitra ends, the time that is left is credited to the customer. A session that waits
/// for its payment is no longer to be paid. The mitra that gave a session away has no more say in it.
#[utoipa::path(
    post, path = "/api/chat/sessions/{id}/end", tag = "chat", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    responses(
        (status = 200, description = "It is over", body = Session),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 409, description = "`session_state`: not this side's to end now"),
    ),
)]
pub(crate) async fn end(state: Arc<State>, req: Request) -> Reply {
    let (id, caller): (Uuid, _) = (req.param("id")?, req.caller()?);
    let by = match caller.role {
        Role::Mitra => Ender::Mitra(caller.user_id),
        _ => Ender::Customer(caller.user_id),
    };
    ending::end(&state, id, by).await?;
    let row = store::find_of(&state.db, caller.user_id, id).await?;
    answer(&state, &row.ok_or(ChatError::NotFound)?, caller.role).await
}

/// Why a mitra gives a session away.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct Reroute {
    /// For us, at most 200 characters; the customer does not see it.
    reason: Option<String>,
}

/// Give a session to another mitra
///
/// Its clock stands, nobody can write in it, and it is offered anew to the others for
/// `REROUTE_TIMEOUT_SECONDS`: the first to accept goes on with the time that was left and can read what was
/// said; this mitra has no more access then. If nobody does, it ends as `reroute_failed` and the time that
/// was left is credited to the customer. The same happens by itself when the mitra goes offline, is
/// deactivated, or leaves the customer's first message unanswered for `FIRST_RESPONSE_SECONDS`. Asking again
/// is 202.
#[utoipa::path(
    post, path = "/api/chat/sessions/{id}/reroute", tag = "chat", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    request_body(content = Option<Reroute>, description = "May be left out"),
    responses(
        (status = 202, description = "It looks for another mitra", body = Session),
        (status = 403, description = "`forbidden`: mitras only"),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 409, description = "`session_not_active`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn reroute(state: Arc<State>, mut req: Request) -> Reply {
    let (id, mitra_id): (Uuid, _) = (req.param("id")?, req.caller()?.user_id);
    let asked: Reroute = if has_body(&req) {
        req.json().await?
    } else {
        Reroute::default()
    };
    if let Some(reason) = &asked.reason {
        text::check("reason", reason, REASON_CHARS_MAX)?;
    }
    let row = rerouting::by_mitra(&state, id, mitra_id, asked.reason.as_deref()).await?;
    let details = state.details_of(std::slice::from_ref(&row)).await?;
    let now = state.clock.now();
    reply::accepted(&Session::of(&row, &details, Role::Mitra, now))
}

fn has_body(req: &Request) -> bool {
    let is_declared = |name| req.header(name).is_some_and(|value| value != "0");
    is_declared("content-length") || is_declared("transfer-encoding") || is_declared("content-type")
}
