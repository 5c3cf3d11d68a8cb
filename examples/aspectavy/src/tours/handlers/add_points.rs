//! `POST /api/tours/{id}/points`

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::{Problem, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::tours::error::TourError;
use crate::tours::state::State;
use crate::tours::store::{self, Passed};
use crate::track::Point;

/// Points of one call.
const CALL_MAX: usize = 1_000;
/// Points of one tour: two days, a point every four seconds.
const TOUR_MAX: i64 = 50_000;

/// Points in any order.
#[derive(Deserialize, ToSchema)]
pub(in crate::tours) struct AddPoints {
    /// 1 to 1,000.
    points: Vec<SentPoint>,
}

/// A place, and when somebody passed it.
#[derive(Deserialize, ToSchema)]
pub(in crate::tours) struct SentPoint {
    at: Timestamp,
    latitude: f64,
    longitude: f64,
    elevation_m: Option<f64>,
}

/// Add points to a tour
///
/// Those of a time that the tour has already are left out, so a call whose answer was lost may be repeated.
#[utoipa::path(
    post, path = "/api/tours/{id}/points", tag = "tours", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The tour's id.")),
    request_body = AddPoints,
    responses(
        (status = 204, description = "Kept"),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 409, description = "`tour_ended`, `tour_full`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(in crate::tours) async fn add_points(state: Arc<State>, mut req: Request) -> Reply {
    let owner_id = req.caller()?.user_id;
    let id: Uuid = req.param("id")?;
    let AddPoints { points } = req.json().await?;
    if points.is_empty() || points.len() > CALL_MAX {
        return Err(Problem::invalid("points", "must be 1 to 1,000"));
    }
    let passed: Result<Vec<Passed>, Problem> = points.iter().enumerate().map(passed).collect();
    let passed = passed?;
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let tour = store::lock(&tx, id, owner_id).await?;
    if tour.ok_or(TourError::NotFound)?.ended_at.is_some() {
        return Err(TourError::Ended.into());
    }
    store::add(&tx, id, &passed).await?;
    if store::count(&tx, id).await? > TOUR_MAX {
        return Err(TourError::Full.into());
    }
    tx.commit().await?;
    reply::no_content()
}

fn passed((index, it): (usize, &SentPoint)) -> Result<Passed, Problem> {
    let point = Point::new(it.latitude, it.longitude, it.elevation_m);
    let point = point
        .ok_or_else(|| Problem::invalid(format!("points.{index}"), "must lie on this planet"))?;
    Ok(Passed { at: it.at, point })
}
