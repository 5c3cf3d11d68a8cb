//! `email-cleanup`: deletes links that no limit counts any more, a bounded batch a step.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::sweep::{Sweep, Swept};

use crate::limits::DAY;
use crate::state::State;
use crate::store;

/// The sweep's name.
pub(crate) const CLEANUP: &str = "email-cleanup";

const EVERY: Duration = Duration::from_secs(3600);
const BATCH: u32 = 1_000;

/// The sweep.
pub(crate) fn cleanup(state: Arc<State>) -> Sweep {
    let step = move || {
        let state = state.clone();
        async move {
            let cutoff = state.clock.now() - DAY;
            let deleted = store::delete_older(&state.db, cutoff, i64::from(BATCH)).await?;
            Ok(Swept {
                changed: deleted,
                more: deleted >= u64::from(BATCH),
            })
        }
    };
    Sweep::new(CLEANUP, EVERY, step).alone()
}
