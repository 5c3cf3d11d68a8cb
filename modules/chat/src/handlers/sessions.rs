//! Sessions as their two sides see them: list, look, end.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::{Principal, Role};
use halobestie_core::{Problem, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::ChatError;
use crate::session_state::{Actor, EndReason, SessionEvent, SessionStatus, Step, step};
use crate::state::State;
use crate::store::events::{self, Transition};
use crate::store::sessions::{self as store, Listing, Locked, SessionRow};
use crate::views::{Page, Session};

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
    let (names, now) = (state.names_of(&rows).await?, state.clock.now());
    let items = rows
        .iter()
        .map(|row| Session::of(row, &names, caller.role, now))
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
    let names = state.names_of(std::slice::from_ref(row)).await?;
    reply::ok(&Session::of(row, &names, viewer, state.clock.now()))
}

/// End a session
///
/// For good, by either side. Ending it again is 200 with the session as it ended.
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
    let is_first = write_end(&state, id, &caller).await?;
    let row = store::find_of(&state.db, caller.user_id, id)
        .await?
        .ok_or(ChatError::NotFound)?;
    if is_first {
        state.availability.load_changed(row.mitra_id).await;
        let names = state.names_of(std::slice::from_ref(&row)).await?;
        state.announce_session(&row, &names);
    }
    answer(&state, &row, caller.role).await
}

/// Ends a session if it goes on; whether it did.
async fn write_end(state: &State, id: Uuid, caller: &Principal) -> Result<bool, Problem> {
    let now = state.clock.now();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let locked = store::lock_of(&tx, caller.user_id, id)
        .await?
        .ok_or(ChatError::NotFound)?;
    // A session whose time is over has expired, even if no worker has written it down yet.
    let overdue = overdue_since(&locked, now);
    let (event, actor) = match (overdue, caller.role) {
        (Some(_), _) => (SessionEvent::Expire, Actor::System),
        (None, Role::Mitra) => (SessionEvent::End, Actor::Mitra),
        (None, _) => (SessionEvent::End, Actor::Customer),
    };
    let reason: EndReason = match step(locked.status, event, actor) {
        Ok(Step::End(reason)) => reason,
        Ok(Step::Stay) => return Ok(false),
        Ok(Step::To(_)) | Err(_) => return Err(ChatError::SessionState.into()),
    };
    store::end(&tx, id, reason, overdue.unwrap_or(now)).await?;
    let ended = Transition {
        request_id: None,
        session_id: Some(id),
        event: event.as_str(),
        actor,
        actor_id: caller.user_id,
        at: now,
    };
    events::record(&tx, &ended).await?;
    tx.commit().await?;
    Ok(true)
}

fn overdue_since(locked: &Locked, now: Timestamp) -> Option<Timestamp> {
    locked
        .expires_at
        .filter(|end| locked.status == SessionStatus::Active && *end <= now)
}
