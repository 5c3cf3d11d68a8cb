//! A mitra's offers: list, accept, decline.

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, reply};
use uuid::Uuid;

use crate::accepting::{self, Won};
use crate::error::ChatError;
use crate::offering;
use crate::session_state::Actor;
use crate::state::State;
use crate::store::events::{self, Transition};
use crate::store::{offers as store, requests};
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
    let items = offering::open_offers(&state, &req.caller()?).await?;
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
    let outcome = accepting::accept(&state, request_id, mitra_id).await;
    state
        .metrics
        .accepts
        .with_label_values(&[label(&outcome)])
        .inc();
    reply::ok(&accepting::finish(&state, outcome?, mitra_id).await?)
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
/// The offer is not listed to this mitra again. When the preferred mitra declines, all others are asked
/// at once.
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
    write_decline(&state, request_id, mitra_id).await?;
    offering::spread(&state).await?;
    reply::no_content()
}

async fn write_decline(state: &State, request_id: Uuid, mitra_id: Uuid) -> Result<(), Problem> {
    let now = state.clock.now();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    if !store::decline(&tx, request_id, mitra_id, now).await? {
        return Err(ChatError::NotFound.into());
    }
    requests::end_exclusive(&tx, request_id, mitra_id, now).await?;
    let declined = Transition {
        request_id: Some(request_id),
        session_id: None,
        event: "offer_declined",
        actor: Actor::Mitra,
        actor_id: mitra_id,
        at: now,
    };
    events::record(&tx, &declined).await?;
    Ok(tx.commit().await?)
}
