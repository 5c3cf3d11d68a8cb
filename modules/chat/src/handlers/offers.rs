//! A mitra's offers: list, accept, decline.

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::exchange::RequestId;
use halobestie_core::http::{Reply, Request, reply};
use uuid::Uuid;

use crate::accepting::{self, Won};
use crate::error::ChatError;
use crate::offering;
use crate::pairing::GoneReason;
use crate::session_state::Actor;
use crate::spreading;
use crate::state::State;
use crate::store::events::{self, Transition};
use crate::store::offers::{self as store, Declined};
use crate::store::requests;
use crate::turns::Turn;
use crate::views::{Items, Offer, Session};

/// My open offers
///
/// Also those of requests that were open before this mitra became available. Oldest first.
#[utoipa::path(
    get, path = "/api/mitra/chat/offers", tag = "chat", security(("bearer" = [])),
    responses(
        (status = 200, description = "What this mitra can accept", body = Items<Offer>),
        (status = 403, description = "`forbidden`: mitras only"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let mitra_id = req.caller()?.user_id;
    let mut offers = offering::open_offers(&state, &[mitra_id]).await?;
    let items = offers.remove(&mitra_id).unwrap_or_default();
    reply::ok(&Items { items })
}

/// Accept an offer
///
/// However many accept at once, on however many replicas, one wins; accepting again as the winner gives
/// the same session. A mitra that is offline cannot accept: `offer_expired`. One that has declined may
/// change its mind while the request is open. The request of a session that looks for another mitra gives
/// that session, with what was left of its time. Where something is to be paid the session is in
/// `pending_payment`, and starts when it is.
#[utoipa::path(
    post, path = "/api/mitra/chat/offers/{request_id}/accept", tag = "chat", security(("bearer" = [])),
    params(("request_id" = Uuid, Path, description = "The request that is offered")),
    responses(
        (status = 200, description = "The session is this mitra's", body = Session),
        (status = 403, description = "`forbidden`: mitras only, and only active ones"),
        (status = 404, description = "`not_found`, also when it was not offered to this mitra"),
        (status = 409, description = "`offer_taken`, `offer_expired`, `offer_cancelled`, `capacity_reached`"),
    ),
)]
pub(crate) async fn accept(state: Arc<State>, req: Request) -> Reply {
    let (request_id, mitra_id) = (req.param("request_id")?, req.caller()?.user_id);
    let outcome = try_accept(&state, request_id, mitra_id, req.request_id()).await;
    state
        .metrics
        .accepts
        .with_label_values(&[label(&outcome)])
        .inc();
    reply::ok(&accepting::finish(&state, outcome?, mitra_id).await?)
}

/// Tries when it is this mitra's turn, or learns what somebody before has found.
async fn try_accept<'a>(
    state: &'a State,
    request_id: Uuid,
    mitra_id: Uuid,
    cause: Option<&RequestId>,
) -> Result<Won<'a>, Problem> {
    let place = state.turns.join(request_id);
    let turn = match place.turn().await {
        Turn::Over(over) => return accepting::too_late(over, mitra_id),
        Turn::Now(turn) => turn,
    };
    let outcome = accepting::accept(state, request_id, mitra_id, cause).await;
    if place.has_followers() {
        // Where Postgres does not answer each of them asks by itself.
        if let Ok(Some(over)) = store::over(&state.db, request_id).await {
            place.end(over);
        }
    }
    drop(turn);
    outcome
}

fn label(outcome: &Result<Won<'_>, Problem>) -> &'static str {
    match outcome {
        Ok(Won {
            change: Some(_), ..
        }) => "won",
        Ok(Won { change: None, .. }) => "again",
        Err(problem) => problem.code().name,
    }
}

/// Decline an offer
///
/// The offer is not listed to this mitra again, and gone from all of its sockets. When everybody who was
/// asked has declined, the others are asked at once: all of them after the preferred mitra, the next wave
/// after a wave.
#[utoipa::path(
    post, path = "/api/mitra/chat/offers/{request_id}/decline", tag = "chat", security(("bearer" = [])),
    params(("request_id" = Uuid, Path, description = "The request that is offered")),
    responses(
        (status = 204, description = "Declined, now or before"),
        (status = 404, description = "`not_found`, also when it was not offered to this mitra"),
    ),
)]
pub(crate) async fn decline(state: Arc<State>, req: Request) -> Reply {
    let (request_id, mitra_id) = (req.param("request_id")?, req.caller()?.user_id);
    let is_over_for_all = write_decline(&state, request_id, mitra_id).await?;
    state.announce_gone(request_id, &[mitra_id], GoneReason::Expired);
    if is_over_for_all {
        spreading::spread(&state).await?;
    }
    reply::no_content()
}

/// Writes a decline; whether that was the last of those who were asked alone.
async fn write_decline(state: &State, request_id: Uuid, mitra_id: Uuid) -> Result<bool, Problem> {
    let now = state.clock.now();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    requests::lock(&tx, request_id).await?;
    match store::decline(&tx, request_id, mitra_id, now).await? {
        Some(Declined::Now) => {}
        Some(Declined::Before) => return Ok(false),
        None => return Err(ChatError::NotFound.into()),
    }
    let ended = requests::end_waiting(&tx, &[request_id], now).await?;
    let declined = Transition {
        request_id: Some(request_id),
        session_id: None,
        event: "offer_declined",
        actor: Actor::Mitra,
        actor_id: mitra_id,
        at: now,
    };
    events::record(&tx, &declined).await?;
    tx.commit().await?;
    Ok(ended > 0)
}
