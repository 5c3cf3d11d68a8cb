//! `GET /api/tours/{id}`

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::{Coded as _, Problem};
use uuid::Uuid;

use super::Tour;
use crate::tours::error::TourError;
use crate::tours::finalising;
use crate::tours::state::State;
use crate::tours::store;
use crate::track::Way;

/// A tour and its summary
///
/// The summary that is stored. Where the worker has not come to it yet, it is made for this answer.
#[utoipa::path(
    get, path = "/api/tours/{id}", tag = "tours", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The tour's id.")),
    responses(
        (status = 200, description = "The tour: `recording`, or `finalised`", body = Tour),
        (status = 404, description = "`not_found`, also for somebody else's"),
    ),
)]
pub(in crate::tours) async fn show(state: Arc<State>, req: Request) -> Reply {
    let owner_id = req.caller()?.user_id;
    let id: Uuid = req.param("id")?;
    let find = async || store::find(&state.db, id, owner_id).await;
    let mut found = find().await?;
    // Only whoever may see it has it made.
    let is_owed = |tour: &store::Stored| tour.ended_at.is_some() && tour.summary.is_none();
    if found.as_ref().is_some_and(is_owed) {
        let finalised = finalising::finalise(&state, id, Way::Inline).await;
        finalised.map_err(|error| Problem::new(error.code()).because(error))?;
        found = find().await?;
    }
    let tour = found.ok_or(TourError::NotFound)?;
    reply::ok(&Tour::from(tour))
}
