//! `DELETE /api/routes/{id}`

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};
use uuid::Uuid;

use crate::routes::error::RouteError;
use crate::routes::state::State;
use crate::routes::store;

/// Delete a route
///
/// Its file and its card.
#[utoipa::path(
    delete, path = "/api/routes/{id}", tag = "routes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The route's id.")),
    responses(
        (status = 204, description = "Gone"),
        (status = 404, description = "`not_found`, also for somebody else's"),
    ),
)]
pub(in crate::routes) async fn delete(state: Arc<State>, req: Request) -> Reply {
    let owner_id = req.caller()?.user_id;
    let id: Uuid = req.param("id")?;
    match store::delete(&state.db, id, owner_id).await? {
        true => reply::no_content(),
        false => Err(RouteError::NotFound.into()),
    }
}
