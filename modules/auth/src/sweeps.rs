//! `auth-cleanup`: deletes what nobody can use any more, a bounded batch of each kind a step.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::sweep::{Sweep, Swept};

use crate::login_throttle::NETWORK_KNOWN;
use crate::state::State;
use crate::store;

/// The sweep's name.
pub(crate) const CLEANUP: &str = "auth-cleanup";

const EVERY: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long codes stay, for the limits that count them, and login failures.
const ATTEMPTS_KEPT: Duration = DAY;
/// How long a dead session and a day's count of codes stay, for whoever asks what happened.
const SESSIONS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
const BATCH: u32 = 1_000;

/// The sweep.
pub(crate) fn cleanup(state: Arc<State>) -> Sweep {
    let step = move || {
        let state = state.clone();
        async move { Ok(clean(&state).await?) }
    };
    Sweep::new(CLEANUP, EVERY, step).alone()
}

async fn clean(state: &State) -> Result<Swept, DbError> {
    let now = state.clock.now();
    let (attempts, batch) = (now - ATTEMPTS_KEPT, i64::from(BATCH));
    let otps = store::otps::delete_older(&state.db, attempts, batch).await?;
    let failures = store::login_failures::delete_older(&state.db, attempts, batch).await?;
    let unused = now - NETWORK_KNOWN;
    let networks = store::known_networks::delete_older(&state.db, unused, batch).await?;
    let days = store::otp_days::delete_older(&state.db, now - SESSIONS_KEPT).await?;
    let sessions = store::sessions::delete_dead(&state.db, now - SESSIONS_KEPT, batch).await?;
    let deleted = [otps, failures, networks, days, sessions];
    Ok(Swept {
        changed: deleted.iter().sum(),
        more: deleted.iter().any(|it| *it >= u64::from(BATCH)),
    })
}
