//! Periodic work.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::sweep::{Sweep, Swept};
use tracing::warn;

use crate::config::XenditConfig;
use crate::reconciling;
use crate::refunding;
use crate::state::State;
use crate::store::events;

/// Compares unsettled payments with Xendit.
pub(crate) const RECONCILE: &str = "payment-reconcile";
/// Deletes webhooks that have been kept long enough.
pub(crate) const CLEANUP: &str = "payment-cleanup";

/// What was told is kept as long as somebody may complain.
const KEEP: Duration = Duration::from_secs(180 * 24 * 3600);
const CLEANUP_EVERY: Duration = Duration::from_secs(3600);
const CLEANUP_BATCH: u16 = 1000;

/// All of them.
pub(crate) fn all(state: Arc<State>, config: &XenditConfig) -> Vec<Sweep> {
    let every = Duration::from_secs(config.payment_reconcile_seconds);
    vec![
        reconcile(state.clone(), every),
        refunding::sweep(state.clone()),
        cleanup(state),
    ]
}

/// On any number of replicas: each takes payments that no other has taken. A lock for one alone would
/// be a transaction that stays open over the calls.
fn reconcile(state: Arc<State>, every: Duration) -> Sweep {
    Sweep::new(RECONCILE, every, move || {
        let state = state.clone();
        async move {
            let mut swept = reconciling::compare_waiting(&state).await?;
            if !swept.more {
                match reconciling::compare_paid(&state).await {
                    Ok(found) => swept.changed += found,
                    // The waiting ones are compared all the same.
                    Err(error) => warn!(%error, "what was paid at xendit could not be compared"),
                }
            }
            Ok(swept)
        }
    })
}

fn cleanup(state: Arc<State>) -> Sweep {
    Sweep::new(CLEANUP, CLEANUP_EVERY, move || {
        let state = state.clone();
        async move {
            let (before, limit) = (state.now() - KEEP, i64::from(CLEANUP_BATCH));
            let deleted = events::delete_settled(&state.db, before, limit).await?;
            Ok(Swept {
                changed: deleted,
                more: deleted == u64::from(CLEANUP_BATCH),
            })
        }
    })
}
