//! `DELETE /api/tours/{id}`

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};
use uuid::Uuid;

use crate::tours::error::TourError;
use crate::tours::state::State;
use crate::tours::store;

/// Delete a tour
///
/// Its points and its summary, recording or not.
#[utoipa::path(
    delete, path = "/api/tours/{id}", tag = "tours", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The tour's id.")),
    responses(
        (status = 204, description = "Gone"),
        (status = 404, description = "`not_found`, also for somebody else's"),
    ),
)]
pub(in crate::tours) async fn delete(state: Arc<State>, req: Request) -> Reply {
    let owner_id = req.caller()?.user_id;
    let id: Uuid = req.param("id")?;
    match store::delete(&state.db, id, owner_id).await? {
        true => reply::no_content(),
        false => Err(TourError::NotFound.into()),
    }
}
