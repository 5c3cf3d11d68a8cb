//! A customer's request for a chat: create, look, cancel.

use std::sync::Arc;

use bytes::Bytes;
use halobestie_core::http::request::parse_json;
use halobestie_core::http::{Reply, Request, Response, reply};
use halobestie_core::idempotency::{Begun, Key};
use halobestie_core::pg::Tx;
use halobestie_core::{Problem, Timestamp};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ChatError;
use crate::notices;
use crate::offering;
use crate::packages::Package;
use crate::pairing::{GoneReason, RequestStatus};
use crate::session_state::Actor;
use crate::state::State;
use crate::store::events::{self, Transition};
use crate::store::requests::{self as store, NewRequest};
use crate::store::{offers, sessions};
use crate::text::{self, invalid};
use crate::views::ChatRequest;
use crate::waves::First;

const TOPIC_CHARS_MAX: usize = 200;

/// What a customer asks for.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CreateRequest {
    /// An id of the price list.
    #[schema(example = "15m")]
    package_id: String,
    /// What it is about, at most 200 characters; the mitras see it.
    topic: Option<String>,
    /// Asked alone for the first 20 s, if available.
    preferred_mitra_id: Option<Uuid>,
}

/// Ask for a chat
///
/// The request is offered to every mitra that is available, or to the preferred one alone for its first
/// 20 s, and to those who become available while it is open. Where the operator has set waves, those who
/// have been idle the longest are asked first. Nobody is asked who has blocked the customer, or was
/// blocked. It lives `PAIRING_TIMEOUT_SECONDS`. The first mitra to accept makes it a session;
/// `request.updated` tells of every wave and of the end, `session.updated` of the session.
#[utoipa::path(
    post, path = "/api/customer/chat/requests", tag = "chat", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gets the first answer again for 24 h")),
    request_body = CreateRequest,
    responses(
        (status = 201, description = "Mitras are being asked", body = ChatRequest),
        (status = 401, description = "`unauthenticated`, `token_expired`"),
        (status = 403, description = "`forbidden`: customers only"),
        (status = 409, description = "`no_mitra_available`, `request_open`, `session_open`, `idempotency_conflict`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn create(state: Arc<State>, mut req: Request) -> Reply {
    let customer_id = req.caller()?.user_id;
    let body = req.json_bytes().await?;
    let key = Key::of(&req, customer_id, "chat.requests.create", &body)?;
    let wish = Wish::read(&state, customer_id, &body)?;
    // Asked before the transaction: nothing outside Postgres is waited for inside one.
    let candidates = offering::candidates(&state, customer_id).await?;
    let first = First::of(&candidates, wish.preferred_mitra_id, state.waves.current());
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    if let Some(key) = &key
        && let Begun::Replay(answer) = key.begin(&tx, wish.now).await?
    {
        return Ok(answer);
    }
    wish.write(&state, &tx, &first).await?;
    let request = wish.view(first.mitra_ids.len());
    let answer = keep(&tx, key.as_ref(), &request).await?;
    let asked: Vec<_> = first.mitra_ids.iter().map(|it| (wish.id, *it)).collect();
    let noticed = notices::asked(&state, &tx, &asked).await?;
    tx.commit().await?;
    drop(client);
    noticed.run().await;
    offering::announce(&state, &asked).await;
    Ok(answer)
}

async fn keep(tx: &Tx<'_>, key: Option<&Key>, request: &ChatRequest) -> Result<Response, Problem> {
    match key {
        Some(key) => key.record(tx, StatusCode::CREATED, request).await,
        None => reply::created(request),
    }
}

/// A request that is valid in itself.
struct Wish {
    id: Uuid,
    customer_id: Uuid,
    topic: Option<String>,
    package: Package,
    preferred_mitra_id: Option<Uuid>,
    now: Timestamp,
    expires_at: Timestamp,
}

impl Wish {
    fn read(state: &State, customer_id: Uuid, body: &Bytes) -> Result<Self, Problem> {
        let asked: CreateRequest = parse_json(body)?;
        let packages = state.packages.get();
        let Some(package) = packages.find(&asked.package_id) else {
            return Err(invalid(
                "package_id",
                "must be an id of /api/customer/packages",
            ));
        };
        if let Some(topic) = &asked.topic {
            text::check("topic", topic, TOPIC_CHARS_MAX)?;
        }
        let now = state.clock.now();
        Ok(Self {
            id: state.entropy.uuid(&state.clock),
            customer_id,
            topic: asked.topic,
            package: package.clone(),
            preferred_mitra_id: asked.preferred_mitra_id,
            now,
            expires_at: now + state.pairing_timeout,
        })
    }

    /// Writes the request and its first offers.
    async fn write(&self, state: &State, tx: &Tx<'_>, first: &First) -> Result<(), Problem> {
        let request = NewRequest {
            id: self.id,
            customer_id: self.customer_id,
            topic: self.topic.as_deref(),
            package: &self.package,
            preferred_mitra_id: self.preferred_mitra_id,
            exclusive_until: first.alone_for.map(|alone| self.now + alone),
            created_at: self.now,
            expires_at: self.expires_at,
        };
        if !store::insert(tx, &request).await? {
            // A session that looks for another mitra has a request too, which its customer does not know.
            let is_in_session = sessions::has_open(tx, self.customer_id).await?;
            return Err(if is_in_session {
                ChatError::SessionOpen.into()
            } else {
                ChatError::RequestOpen.into()
            });
        }
        // After the insert, which waits for an accept of the customer's request before this one: its
        // session is seen here.
        if sessions::has_open(tx, self.customer_id).await? {
            return Err(ChatError::SessionOpen.into());
        }
        if first.mitra_ids.is_empty() {
            return Err(ChatError::NoMitraAvailable.into());
        }
        offers::insert(tx, self.id, &first.mitra_ids, self.now).await?;
        let created = transition(self.id, self.customer_id, "request_created", state);
        Ok(events::record(tx, &created).await?)
    }

    fn view(&self, offered_to: usize) -> ChatRequest {
        ChatRequest {
            id: self.id,
            status: RequestStatus::Searching,
            offered_to: i64::try_from(offered_to).unwrap_or(i64::MAX),
            expires_at: self.expires_at,
            session_id: None,
            topic: self.topic.clone(),
            package: self.package.clone(),
        }
    }
}

fn transition(
    request_id: Uuid,
    customer_id: Uuid,
    event: &'static str,
    state: &State,
) -> Transition {
    Transition {
        request_id: Some(request_id),
        session_id: None,
        event,
        actor: Actor::Customer,
        actor_id: customer_id,
        at: state.clock.now(),
    }
}

/// A request of mine
#[utoipa::path(
    get, path = "/api/customer/chat/requests/{id}", tag = "chat", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request")),
    responses(
        (status = 200, description = "Where the request is", body = ChatRequest),
        (status = 404, description = "`not_found`, also for somebody else's"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let (id, customer_id) = (req.param("id")?, req.caller()?.user_id);
    let row = store::find_of(&state.db, customer_id, id)
        .await?
        .ok_or(ChatError::NotFound)?;
    reply::ok(&ChatRequest::from(row))
}

/// Take a request back
///
/// Cancelling again is 200. A request that was matched or has expired cannot be taken back.
#[utoipa::path(
    post, path = "/api/customer/chat/requests/{id}/cancel", tag = "chat", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request")),
    responses(
        (status = 200, description = "It is cancelled", body = ChatRequest),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 409, description = "`request_closed`"),
    ),
)]
pub(crate) async fn cancel(state: Arc<State>, req: Request) -> Reply {
    let (id, customer_id) = (req.param("id")?, req.caller()?.user_id);
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let is_first = store::cancel(&tx, customer_id, id, state.clock.now()).await?;
    if is_first {
        events::record(
            &tx,
            &transition(id, customer_id, "request_cancelled", &state),
        )
        .await?;
    }
    let row = store::find_of(&tx, customer_id, id)
        .await?
        .ok_or(ChatError::NotFound)?;
    let closed = if is_first { &[id][..] } else { &[] };
    let noticed = notices::gone(&state, &tx, closed, GoneReason::Cancelled).await?;
    tx.commit().await?;
    drop(client);
    noticed.run().await;
    if is_first {
        offering::announce_over(&state, id, GoneReason::Cancelled).await;
    }
    match row.status {
        RequestStatus::Cancelled => reply::ok(&ChatRequest::from(row)),
        _ => Err(ChatError::RequestClosed.into()),
    }
}
