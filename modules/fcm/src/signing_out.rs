//! Tokens go with the sign-in session that sent them: at once as the bus tells of revocations, and by a
//! sweep for what it lost and for sessions that ran out. That is for order alone: nothing is ever sent
//! to a device whose session does not live at that moment.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use halobestie_core::BoxError;
use halobestie_core::pg::DbError;
use halobestie_core::sweep::{Sweep, Swept};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tracing::warn;
use uuid::Uuid;

use crate::meters::Deleted;
use crate::state::State;
use crate::store;

/// The sweep's name.
pub(crate) const CLEANUP: &str = "fcm-cleanup";

const EVERY: Duration = Duration::from_secs(600);
const BATCH: usize = 500;

/// The service `fcm-revocations`: on every worker, since any of them may be the one that hears of it.
pub(crate) async fn follow(state: Arc<State>, mut told: Receiver<Uuid>) -> Result<(), BoxError> {
    loop {
        let first = tokio::select! {
            () = state.lifecycle.soft().cancelled() => return Ok(()),
            first = told.recv() => first,
        };
        match first {
            Ok(first) => {
                let mut gone = vec![first];
                while let (true, Ok(next)) = (gone.len() < BATCH, told.try_recv()) {
                    gone.push(next);
                }
                if let Err(error) = delete(&state, &gone).await {
                    let error = &error as &dyn std::error::Error;
                    warn!(
                        error,
                        "cannot delete the tokens of who has signed out; the sweep will"
                    );
                }
            }
            // The sweep finds them.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => {
                state.lifecycle.soft().cancelled().await;
                return Ok(());
            }
        }
    }
}

async fn delete(state: &State, session_ids: &[Uuid]) -> Result<u64, DbError> {
    let deleted = store::delete_of_sessions(&state.db, session_ids).await?;
    state.meters.count_deleted(Deleted::SignedOut, deleted);
    Ok(deleted)
}

/// The sweep: goes through all sign-in sessions that have tokens, a bounded batch a step.
pub(crate) fn cleanup(state: Arc<State>) -> Sweep {
    let place = Arc::new(Mutex::new(None));
    let step = move || {
        let (state, place) = (state.clone(), place.clone());
        async move {
            let after = *place.lock().unwrap_or_else(PoisonError::into_inner);
            let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
            let ids = store::sessions_after(&state.db, after, limit).await?;
            let living = state.sign_in_sessions.living(&ids).await?;
            let gone: Vec<Uuid> = ids
                .iter()
                .filter(|it| !living.contains(it))
                .copied()
                .collect();
            let changed = match gone.is_empty() {
                true => 0,
                false => delete(&state, &gone).await?,
            };
            let more = ids.len() >= BATCH;
            let next = ids.last().copied().filter(|_| more);
            *place.lock().unwrap_or_else(PoisonError::into_inner) = next;
            Ok(Swept { changed, more })
        }
    };
    Sweep::new(CLEANUP, EVERY, step).alone()
}
