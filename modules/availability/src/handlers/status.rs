//! A mitra's own switch and signs of life.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::ports::Heartbeat;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AvailabilityError;
use crate::handlers::State;
use crate::mitra::MitraState;

/// A mitra's own status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = availability::Status)]
pub(crate) struct Status {
    /// The mitra's own switch.
    online: bool,
    /// False when an admin has deactivated the mitra.
    active: bool,
    capacity: Capacity,
    /// The last sign of life, if there was any.
    last_heartbeat_at: Option<Timestamp>,
    /// How often to send a heartbeat while online.
    heartbeat_interval_seconds: u64,
}

/// How much a mitra may take and has taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = availability::Capacity)]
struct Capacity {
    /// Sessions at once.
    max: i32,
    /// Open sessions: active, waiting for payment or being rerouted.
    in_use: u32,
}

/// Show the caller's status
#[utoipa::path(
    get, path = "/api/mitra/status", tag = "availability", security(("bearer" = [])),
    responses(
        (status = 200, description = "The status.", body = Status),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
        (status = 403, description = "`forbidden`: not a mitra."),
        (status = 503, description = "`dependency_unavailable`."),
    ),
)]
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let mitra = state.roster.state(req.caller()?.user_id).await?;
    status(&state, &mitra).await
}

/// Go online
#[utoipa::path(
    post, path = "/api/mitra/status/online", tag = "availability", security(("bearer" = [])),
    description = "Offers reach the mitra from now on. Counts as a heartbeat; after it, heartbeats must \
        follow, or the mitra is set offline. Going online twice is fine. The body is not read.",
    responses(
        (status = 200, description = "The status, online.", body = Status),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
        (status = 403, description = "`mitra_deactivated`, or `forbidden`: not a mitra."),
        (status = 503, description = "`dependency_unavailable`."),
    ),
)]
pub(crate) async fn go_online(state: Arc<State>, req: Request) -> Reply {
    let mitra = state.roster.go_online(req.caller()?.user_id).await?;
    status(&state, &mitra).await
}

/// Go offline
#[utoipa::path(
    post, path = "/api/mitra/status/offline", tag = "availability", security(("bearer" = [])),
    description = "No further offers reach the mitra. Going offline twice is fine. The body is not read.",
    responses(
        (status = 200, description = "The status, offline.", body = Status),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
        (status = 403, description = "`forbidden`: not a mitra."),
        (status = 503, description = "`dependency_unavailable`."),
    ),
)]
pub(crate) async fn go_offline(state: Arc<State>, req: Request) -> Reply {
    let mitra = state.roster.go_offline(req.caller()?.user_id).await?;
    status(&state, &mitra).await
}

/// Send a sign of life
#[utoipa::path(
    post, path = "/api/mitra/status/heartbeat", tag = "availability", security(("bearer" = [])),
    description = "To be sent every `next_heartbeat_seconds` while online; a signed-in socket may send \
        it as a frame instead. It never brings back a mitra that is offline: `online` says whether it \
        is. The body is not read.",
    responses(
        (status = 200, description = "Taken.", body = Heartbeat),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
        (status = 403, description = "`mitra_deactivated`, or `forbidden`: not a mitra."),
        (status = 503, description = "`dependency_unavailable`."),
    ),
)]
pub(crate) async fn heartbeat(state: Arc<State>, req: Request) -> Reply {
    let taken = state.roster.heartbeat(req.caller()?.user_id).await;
    reply::ok(&taken.map_err(AvailabilityError::from)?)
}

async fn status(state: &State, MitraState { mitra, in_use }: &MitraState) -> Reply {
    reply::ok(&Status {
        online: mitra.is_online,
        active: mitra.is_active,
        capacity: Capacity {
            max: mitra.max_sessions,
            in_use: *in_use,
        },
        last_heartbeat_at: state.roster.last_heard(mitra).await,
        heartbeat_interval_seconds: state.roster.liveness.heartbeat_interval().as_secs(),
    })
}
