//! A forecast for somebody who waits: what is stored, as long as somebody keeps it fresh.
//!
//! With nothing stored, or with a worker that has been silent for long, the reader takes the region's turn
//! and asks the feed. All readers of this process share that. Where another process has the turn, what is
//! stored is good enough; with nothing stored, its end is awaited for a moment.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::ports::AnalyticsEvent;

use super::error::ForecastError;
use super::state::{Found, State};
use super::store::{self, Stored};
use super::syncing;

/// How often, and how far apart, it is seen whether another process has brought a first forecast.
const LOOKS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(100);

/// The forecast of a region.
pub(super) async fn read(state: &Arc<State>, region: &str) -> Found {
    if !state.regions.iter().any(|it| it == region) {
        return Err(Arc::new(ForecastError::UnknownRegion));
    }
    match stored(state, region).await {
        Ok(Some(stored)) if !is_stale(state, &stored) => Ok(stored),
        Ok(_) => {
            let work = || inline(state.clone(), region.to_owned());
            state.flights.join(region.to_owned(), work).await
        }
        Err(error) => Err(Arc::new(error.into())),
    }
}

/// Whether the feed has not been heard of for so long that the worker must be silent, or the feed.
pub(super) fn is_stale(state: &State, stored: &Stored) -> bool {
    state.clock.now().since(stored.checked_at) > state.stale
}

async fn stored(state: &State, region: &str) -> Result<Option<Stored>, DbError> {
    let found = store::find(&state.db, &[region.to_owned()]).await?;
    Ok(found.into_iter().next())
}

async fn inline(state: Arc<State>, region: String) -> Found {
    ask(&state, &region).await.map_err(Arc::new)
}

async fn ask(state: &State, region: &str) -> Result<Stored, ForecastError> {
    let turn = syncing::take_turn(state, &[region.to_owned()]).await?;
    let Some(turn) = turn else {
        return wait_for_another(state, region).await;
    };
    if let Some(analytics) = state.analytics.get() {
        analytics.tell(AnalyticsEvent::new("forecast_asked_inline"));
    }
    let asked = syncing::look(state, turn).await?;
    match (stored(state, region).await?, asked) {
        (Some(stored), _) => Ok(stored),
        (None, Err(error)) => Err(ForecastError::Feed(error.into())),
        (None, Ok(())) => Err(ForecastError::None),
    }
}

/// Somebody else has the turn; or nobody, because the feed has failed a moment ago, and then there is
/// nothing to wait for.
async fn wait_for_another(state: &State, region: &str) -> Result<Stored, ForecastError> {
    for _ in 0..LOOKS {
        // In this order: what was brought before nobody had the turn any more is seen.
        let is_asked = store::is_asked(&state.db, region, state.clock.now()).await?;
        if let Some(stored) = stored(state, region).await? {
            return Ok(stored);
        }
        if !is_asked {
            break;
        }
        state.clock.sleep(BETWEEN).await;
    }
    Err(ForecastError::None)
}
