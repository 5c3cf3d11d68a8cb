//! One look at the feed, by whoever has the turn; and the sweep that takes the turns that are due.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::BoxError;
use halobestie_core::pg::DbError;
use halobestie_core::sweep::{Sweep, Swept};
use tracing::{info, warn};

use super::feed::{FeedError, News};
use super::state::State;
use super::store::{self, Turn};

/// The sweep.
pub(super) const SWEEP: &str = "forecast-sync";

/// How often it is seen whether a region is due.
const EVERY: Duration = Duration::from_secs(15);
/// A hundred regions of a feed that hangs.
const RUN_MAX: Duration = Duration::from_secs(1_800);
/// The pause after the first failure; doubled by each further one, up to the time between two looks.
const PAUSE: Duration = Duration::from_secs(30);

/// The sweep of this module. Any number of processes may run it at once: each takes other turns.
pub(super) fn sweep(state: &Arc<State>) -> Sweep {
    let state = state.clone();
    let sweep = Sweep::new(SWEEP, EVERY, move || step(state.clone()));
    Sweep {
        timeout: RUN_MAX,
        ..sweep
    }
}

async fn step(state: Arc<State>) -> Result<Swept, BoxError> {
    let Some(turn) = take_turn(&state, &state.regions).await? else {
        return Ok(Swept::done(0));
    };
    // What the feed does is told by `look`; the other regions are not to wait for it.
    let changed = u64::from(look(&state, turn).await?.is_ok());
    Ok(Swept {
        changed,
        more: true,
    })
}

/// Takes the turn of one of these regions, if one is due.
pub(super) async fn take_turn(state: &State, regions: &[String]) -> Result<Option<Turn>, DbError> {
    let now = state.clock.now();
    store::add(&state.db, regions, now).await?;
    store::take_turn(&state.db, regions, now, now + state.lease).await
}

/// Asks the feed and ends the turn.
///
/// # Errors
/// When Postgres does not answer; what the feed does is the value.
pub(super) async fn look(state: &State, turn: Turn) -> Result<Result<(), FeedError>, DbError> {
    let asked = state.feed.ask(&turn.region, &turn.known).await;
    let now = state.clock.now();
    let region = turn.region.as_str();
    let next = now + state.sync;
    match asked {
        Ok(news) => {
            if turn.failures > 0 {
                info!(forecast.region = region, "the feed answers again");
            }
            match news {
                News::Unchanged => {
                    state.count("unchanged");
                    store::confirm(&state.db, &turn, now, next).await?;
                }
                News::Forecast(bulletin, validators) => {
                    state.count("changed");
                    let got = (&bulletin, &validators);
                    store::replace(&state.db, &turn, got, now, next).await?;
                }
            }
            Ok(Ok(()))
        }
        Err(error) => {
            state.count("failed");
            if turn.failures == 0 {
                let error = &error as &dyn std::error::Error;
                warn!(
                    forecast.region = region,
                    error, "the feed fails; what is stored stays"
                );
            }
            store::fail(&state.db, &turn, now + pause(&turn, state.sync)).await?;
            Ok(Err(error))
        }
    }
}

fn pause(turn: &Turn, most: Duration) -> Duration {
    let doubled = turn.failures.clamp(0, 16).unsigned_abs();
    PAUSE.saturating_mul(1 << doubled).min(most)
}
