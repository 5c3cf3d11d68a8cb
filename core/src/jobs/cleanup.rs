//! Finished rows go when they have been kept long enough.

use std::time::Duration;

use super::store;
use crate::module::Context;
use crate::sweep::{Sweep, Swept};

/// Between two cleanings.
const EVERY: Duration = Duration::from_secs(60);
/// Rows removed by one statement.
const BATCH: u32 = 1000;

/// Removes finished jobs, in batches; safe on any number of replicas.
pub(super) fn sweep(cx: &Context) -> Sweep {
    let (db, clock) = (cx.db.clone(), cx.clock.clone());
    Sweep::new("jobs-cleanup", EVERY, move || {
        let (db, clock) = (db.clone(), clock.clone());
        async move {
            let removed = store::remove_kept_until(&db, clock.now(), BATCH.into()).await?;
            Ok(Swept {
                changed: removed,
                more: removed == u64::from(BATCH),
            })
        }
    })
}
