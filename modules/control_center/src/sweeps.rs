//! `dashboard-minutes`: keeps the dashboard's figures, a row a minute, by one replica among all.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::pg::DbError;
use halobestie_core::sweep::{Sweep, Swept};

use crate::state::State;
use crate::store::{self, Minute};

/// The sweep's name.
pub(crate) const MINUTES: &str = "dashboard-minutes";

/// More often than a minute, because a sweep's pace is not a clock's: so no minute is missed.
const EVERY: Duration = Duration::from_secs(15);
/// How long minutes are kept.
const KEPT: Duration = Duration::from_secs(48 * 3600);
const MINUTE_MS: i64 = 60_000;

/// The sweep.
pub(crate) fn minutes(state: Arc<State>) -> Sweep {
    let step = move || {
        let state = state.clone();
        async move { Ok(keep(&state).await?) }
    };
    Sweep::new(MINUTES, EVERY, step).alone()
}

async fn keep(state: &State) -> Result<Swept, DbError> {
    let now = state.clock.now();
    let at = Timestamp::from_unix_ms(now.unix_ms().div_euclid(MINUTE_MS) * MINUTE_MS);
    if store::has_minute(&state.db, at).await? {
        return Ok(Swept::done(0));
    }
    let figures = state.figures.count(now).await?;
    let kept = store::keep_minute(&state.db, &Minute { at, figures }).await?;
    let forgotten = store::forget_minutes(&state.db, now, KEPT).await?;
    Ok(Swept::done(u64::from(kept) + forgotten))
}
