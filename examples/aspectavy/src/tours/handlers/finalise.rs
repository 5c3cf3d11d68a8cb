//! `POST /api/tours/{id}/finalise`

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::jobs::NewJob;
use uuid::Uuid;

use super::Tour;
use crate::tours::error::TourError;
use crate::tours::jobs::FinaliseTour;
use crate::tours::state::State;
use crate::tours::store::{self, Stored};

/// Finalise a tour
///
/// No further point is taken. Its summary is made soon after, or when it is first asked for. Finalising
/// twice is the same as once.
#[utoipa::path(
    post, path = "/api/tours/{id}/finalise", tag = "tours", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The tour's id.")),
    responses(
        (status = 202, description = "It has ended", body = Tour),
        (status = 404, description = "`not_found`, also for somebody else's"),
    ),
)]
pub(in crate::tours) async fn finalise(state: Arc<State>, req: Request) -> Reply {
    let owner_id = req.caller()?.user_id;
    let id: Uuid = req.param("id")?;
    let now = state.clock.now();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let tour = store::lock(&tx, id, owner_id).await?;
    let tour = tour.ok_or(TourError::NotFound)?;
    if tour.ended_at.is_some() {
        return reply::accepted(&Tour::from(tour));
    }
    store::end(&tx, id, now).await?;
    let owed = NewJob::of(FinaliseTour { tour_id: id }).key(id);
    let enqueued = state.jobs.enqueue(&tx, owed).await?;
    tx.commit().await?;
    enqueued.run().await;
    reply::accepted(&Tour::from(Stored {
        ended_at: Some(now),
        ..tour
    }))
}
