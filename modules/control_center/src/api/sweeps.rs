//! Sweeps: what the server does by itself, now and then.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::sweep::Standing;
use serde::Serialize;
use utoipa::ToSchema;

use crate::act::Caller;
use crate::acts::sweeps::{self as acts, Ran};
use crate::state::State;

/// Every sweep of the server.
#[derive(Serialize, ToSchema)]
#[schema(as = control_center::Sweeps)]
pub(crate) struct SweepList {
    items: Vec<Standing>,
}

/// List the sweeps with their last runs, on whatever replica
#[utoipa::path(
    operation_id = "admin_sweeps",
    get, path = "/api/admin/sweeps", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "Every sweep", body = SweepList),
        (status = 403, description = "`forbidden`: admins only"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, _: Caller, _: Request) -> Reply {
    let items = state.runner()?.standings().await?;
    reply::ok(&SweepList { items })
}

/// Run a sweep now
///
/// In the process that is asked, under the sweep's lock where it has one.
#[utoipa::path(
    operation_id = "admin_sweep_run",
    post, path = "/api/admin/sweeps/{name}/run", tag = "admin", security(("bearer" = [])),
    params(("name" = String, Path, description = "The sweep")),
    responses(
        (status = 200, description = "It ran", body = Standing),
        (status = 202, description = "It runs on", body = Standing),
        (status = 403, description = "`forbidden`: operators and owners"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`sweep_running`: somebody else is at it"),
    ),
)]
pub(crate) async fn run(state: Arc<State>, caller: Caller, req: Request) -> Reply {
    let name: String = req.param("name")?;
    let ran = acts::run(&state, &caller, &name).await?;
    let standing = acts::find(&state, &name).await?;
    match ran {
        Ran::Ended => reply::ok(&standing),
        Ran::GoesOn => reply::accepted(&standing),
    }
}
