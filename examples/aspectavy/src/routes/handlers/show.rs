//! `GET /api/routes/{id}`

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::{Coded as _, Problem};
use uuid::Uuid;

use super::Route;
use crate::routes::compiling;
use crate::routes::error::RouteError;
use crate::routes::state::State;
use crate::routes::store;
use crate::track::Way;

/// A route and its card
///
/// The card that is stored. Where the worker has not come to it yet, it is made for this answer.
#[utoipa::path(
    get, path = "/api/routes/{id}", tag = "routes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The route's id.")),
    responses(
        (status = 200, description = "The route: `compiled`, or `unreadable`", body = Route),
        (status = 404, description = "`not_found`, also for somebody else's"),
    ),
)]
pub(in crate::routes) async fn show(state: Arc<State>, req: Request) -> Reply {
    let owner_id = req.caller()?.user_id;
    let id: Uuid = req.param("id")?;
    let find = async || store::find(&state.db, id, owner_id).await;
    let mut found = find().await?;
    // Only whoever may see it has it made.
    if found.as_ref().is_some_and(|it| !it.is_compiled) {
        let compiled = compiling::compile(&state, id, Way::Inline).await;
        compiled.map_err(|error| Problem::new(error.code()).because(error))?;
        found = find().await?;
    }
    let route = found.ok_or(RouteError::NotFound)?;
    reply::ok(&Route::from(route))
}
