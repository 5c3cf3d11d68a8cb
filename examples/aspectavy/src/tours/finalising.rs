//! From a tour's points to its summary, by a job or by whoever cannot wait for one.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::ports::AnalyticsEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::TourError;
use super::state::State;
use super::store::{self, Passed};
use crate::track::{Figures, Track, Way};

/// Between two points further apart than this nobody knows where the phone was.
const GAP_SECONDS: u64 = 600;

/// What a tour came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct Summary {
    /// From the first point to the last, without the gaps of more than ten minutes.
    pub(super) duration_seconds: u64,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

/// What became of the work, for all who wait for it.
pub(super) type Finalised = Result<(), Arc<TourError>>;

/// Sees to it that a tour that has ended has its summary. In this process it is made once, however many
/// wait; two processes may both make it, and the first that is kept stays.
pub(super) async fn finalise(state: &Arc<State>, tour_id: Uuid, way: Way) -> Finalised {
    let work = || {
        let state = state.clone();
        async move { once(&state, tour_id, way).await.map_err(Arc::new) }
    };
    state.flights.join(tour_id, work).await
}

async fn once(state: &State, tour_id: Uuid, way: Way) -> Result<(), TourError> {
    let place = state.bench.place().await?;
    // Done meanwhile, or gone: then nothing is owed.
    if !store::is_owed(&state.db, tour_id).await? {
        return Ok(());
    }
    // No point is taken any more, so these are all.
    let points = store::points(&state.db, tour_id).await?;
    let summary = place.work(move || of(&points)).await?;
    let is_kept = store::keep(&state.db, tour_id, &summary, state.clock.now()).await?;
    if let Some(analytics) = state.analytics.get().filter(|_| is_kept) {
        let event = AnalyticsEvent::new("tour_finalised").text("way", way.as_str());
        analytics.tell(event.number("points", summary.figures.points as f64));
    }
    Ok(())
}

/// The summary of points in the order of their times.
fn of(passed: &[Passed]) -> Summary {
    let mut duration_seconds = 0;
    let mut lines = Vec::new();
    let mut before: Option<Timestamp> = None;
    for it in passed {
        let since = before.map(|at| it.at.since(at).as_secs());
        match since.filter(|seconds| *seconds <= GAP_SECONDS) {
            Some(seconds) => duration_seconds += seconds,
            None => lines.push(Vec::new()),
        }
        if let Some(line) = lines.last_mut() {
            line.push(it.point);
        }
        before = Some(it.at);
    }
    let track = Track { name: None, lines };
    Summary {
        duration_seconds,
        figures: Figures::of(&track),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::Point;

    fn passed(seconds: i64, latitude: f64) -> Passed {
        Passed {
            at: Timestamp::from_unix_ms(seconds * 1000),
            point: Point::new(latitude, 11.0, None).unwrap(),
        }
    }

    #[test]
    fn a_gap_is_neither_walked_nor_waited() {
        let summary = of(&[
            passed(0, 47.0),
            passed(60, 47.001),
            passed(60 + 601, 47.1),
            passed(60 + 661, 47.101),
        ]);
        assert_eq!(summary.duration_seconds, 120);
        assert_eq!(summary.figures.distance_m, 222);
    }

    #[test]
    fn a_tour_without_points_comes_to_nothing() {
        let summary = of(&[]);
        assert_eq!((summary.duration_seconds, summary.figures.points), (0, 0));
    }
}
