//! From a file to its card, by a job or by whoever cannot wait for one.

use std::sync::Arc;

use halobestie_core::ports::AnalyticsEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::RouteError;
use super::state::State;
use super::store;
use crate::track::{self, Figures, Unreadable, Way};

/// What a walker wants to know of a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct Card {
    /// What its author calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

/// What a file comes to: a card, or what is wrong with it.
pub(super) type Outcome = Result<Card, Unreadable>;

/// What became of the work, for all who wait for it.
pub(super) type Compiled = Result<(), Arc<RouteError>>;

/// Sees to it that a route is compiled. In this process it is done once, however many wait; two processes
/// may both do it, and the first that is kept stays.
pub(super) async fn compile(state: &Arc<State>, route_id: Uuid, way: Way) -> Compiled {
    let work = || {
        let state = state.clone();
        async move { once(&state, route_id, way).await.map_err(Arc::new) }
    };
    state.flights.join(route_id, work).await
}

async fn once(state: &State, route_id: Uuid, way: Way) -> Result<(), RouteError> {
    let place = state.bench.place().await?;
    // Compiled meanwhile, or gone: then nothing is owed.
    let Some(gpx) = store::uncompiled(&state.db, route_id).await? else {
        return Ok(());
    };
    let outcome = place.work(move || of(&gpx)).await?;
    let now = state.clock.now();
    let is_kept = store::keep(&state.db, route_id, &outcome, now).await?;
    if is_kept {
        tell(state, &outcome, way);
    }
    Ok(())
}

fn of(gpx: &[u8]) -> Outcome {
    let track = track::read(gpx)?;
    let figures = Figures::of(&track);
    Ok(Card {
        name: track.name,
        figures,
    })
}

fn tell(state: &State, outcome: &Outcome, way: Way) {
    let Some(analytics) = state.analytics.get() else {
        return;
    };
    let event = AnalyticsEvent::new("route_compiled")
        .text("way", way.as_str())
        .flag("readable", outcome.is_ok());
    analytics.tell(match outcome {
        Ok(card) => event.number("points", card.figures.points as f64),
        Err(_) => event,
    });
}
