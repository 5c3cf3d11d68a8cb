//! `POST /api/routes`

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::jobs::NewJob;
use halobestie_core::ports::Role;
use http::header::CONTENT_TYPE;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Route;
use crate::routes::error::RouteError;
use crate::routes::jobs::CompileRoute;
use crate::routes::state::State;
use crate::routes::store::{self, NewRoute, ROUTES_MAX, Stored};

/// What GPX files are sent as.
const MEDIA_TYPES: [&str; 3] = ["application/gpx+xml", "application/xml", "text/xml"];

/// Send a route
///
/// A GPX file of at most 4 MiB. Its card is made soon after, or when it is first asked for. The same file
/// again is the same route.
#[utoipa::path(
    post, path = "/api/routes", tag = "routes", security(("bearer" = [])),
    request_body(content = String, content_type = "application/gpx+xml"),
    responses(
        (status = 201, description = "Kept", body = Route),
        (status = 200, description = "The caller has sent this file before", body = Route),
        (status = 409, description = "`too_many_routes`"),
        (status = 413, description = "`body_too_large`"),
        (status = 415, description = "`unsupported_media_type`"),
    ),
)]
pub(in crate::routes) async fn create(state: Arc<State>, mut req: Request) -> Reply {
    let caller = req.caller()?;
    if !is_gpx(&req) {
        return Err(RouteError::NotGpx.into());
    }
    let gpx = req.bytes().await?;
    let sha256 = Sha256::digest(&gpx);
    let new = NewRoute {
        id: state.entropy.uuid(&state.clock),
        owner_id: caller.user_id,
        gpx: &gpx,
        sha256: sha256.as_slice(),
    };
    match keep(&state, &new, caller.role).await? {
        Kept::New(route) => reply::created(&Route::from(route)),
        Kept::Before(route) => reply::ok(&Route::from(route)),
    }
}

fn is_gpx(req: &Request) -> bool {
    let content_type = req.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    MEDIA_TYPES
        .iter()
        .any(|it| it.eq_ignore_ascii_case(essence))
}

enum Kept {
    New(Stored),
    Before(Stored),
}

async fn keep(state: &State, new: &NewRoute<'_>, role: Role) -> Result<Kept, Problem> {
    let now = state.clock.now();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    store::lock_owner(&tx, new.owner_id).await?;
    let owner = state.accounts.hold(&tx, role, new.owner_id).await?;
    owner.ok_or(RouteError::AccountClosed)?;
    if let Some(route) = store::same(&tx, new.owner_id, new.sha256).await? {
        return Ok(Kept::Before(route));
    }
    if store::count(&tx, new.owner_id).await? >= ROUTES_MAX {
        return Err(RouteError::TooMany.into());
    }
    store::insert(&tx, new, now).await?;
    let enqueued = state.jobs.enqueue(&tx, owed(new.id)).await?;
    tx.commit().await?;
    enqueued.run().await;
    Ok(Kept::New(Stored {
        id: new.id,
        created_at: now,
        is_compiled: false,
        card: None,
        problem: None,
    }))
}

fn owed(route_id: Uuid) -> NewJob<CompileRoute> {
    NewJob::of(CompileRoute { route_id }).key(route_id)
}
