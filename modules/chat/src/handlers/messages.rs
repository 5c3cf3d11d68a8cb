//! Messages over HTTP: send, read back, mark as read.

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, paging, reply};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ChatError;
use crate::messages::{self, Draft, Message};
use crate::reading;
use crate::state::State;
use crate::store::{messages as store, sides};
use crate::text::invalid;
use crate::views::MessagePage;

/// Send a message
///
/// When this answers, the message is committed and has the session's next number; both sides' sockets
/// get `message.new`. The same `client_message_id` again gives the first message, also after the session
/// has ended, so a lost answer can always be asked for again.
#[utoipa::path(
    post, path = "/api/chat/sessions/{id}/messages", tag = "chat", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    request_body = Draft,
    responses(
        (status = 201, description = "Written", body = Message),
        (status = 200, description = "Written before: the first message", body = Message),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 409, description = "`session_not_active`"),
        (status = 422, description = "`validation_failed`"),
        (status = 429, description = "`rate_limited`: CHAT_MESSAGES_PER_SECOND"),
    ),
)]
pub(crate) async fn send(state: Arc<State>, mut req: Request) -> Reply {
    let (id, caller) = (req.param("id")?, req.caller()?);
    let draft: Draft = req.json().await?;
    let sent = messages::send(&state, &caller, id, draft).await?;
    if sent.is_new {
        reply::created(&sent.message)
    } else {
        reply::ok(&sent.message)
    }
}

#[derive(Deserialize)]
struct ListQuery {
    after_seq: Option<i64>,
    before_seq: Option<i64>,
    limit: Option<i64>,
}

/// The messages of a session
///
/// With `after_seq` the first ones after it (and before `before_seq`, when that is given too); otherwise
/// the last ones, before `before_seq` when that is given. Ascending by `seq` either way.
#[utoipa::path(
    get, path = "/api/chat/sessions/{id}/messages", tag = "chat", security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The session"),
        ("after_seq" = Option<i64>, Query, description = "Only messages after this number"),
        ("before_seq" = Option<i64>, Query, description = "Only messages before this number"),
        ("limit" = Option<i64>, Query, description = "1 to 100, default 50"),
    ),
    responses(
        (status = 200, description = "Messages in order", body = MessagePage),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let (id, caller): (Uuid, _) = (req.param("id")?, req.caller()?);
    let query: ListQuery = req.query()?;
    let limit = paging::limit(query.limit)?;
    let before = query.before_seq.unwrap_or(i64::MAX);
    // Before the messages: a message that comes in between is one the caller asks for again.
    let last_seq = sides::last_seq_of(&state.db, caller.user_id, id).await?;
    let last_seq = last_seq.ok_or(ChatError::NotFound)?;
    let items = match query.after_seq {
        Some(after) => store::page_after(&state.db, id, after, before, limit).await?,
        None => store::page_before(&state.db, id, before, limit).await?,
    };
    let last_seq = items.last().map_or(last_seq, |last| last_seq.max(last.seq));
    reply::ok(&MessagePage { items, last_seq })
}

/// How far the caller has read.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ReadUpTo {
    /// The number of the last message read.
    seq: i64,
}

/// Mark messages as read
///
/// Never moves backwards, nor past the last message. The sockets of both sides get `message.read`.
#[utoipa::path(
    post, path = "/api/chat/sessions/{id}/read", tag = "chat", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    request_body = ReadUpTo,
    responses(
        (status = 204, description = "Noted"),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn read(state: Arc<State>, mut req: Request) -> Reply {
    let (id, caller) = (req.param("id")?, req.caller()?);
    let ReadUpTo { seq } = req.json().await?;
    check_seq(seq)?;
    reading::mark(&state, caller.user_id, id, seq).await?;
    reply::no_content()
}

fn check_seq(seq: i64) -> Result<(), Problem> {
    if seq < 0 {
        Err(invalid("seq", "must be 0 or more"))
    } else {
        Ok(())
    }
}
