//! `chat-retention`: deletes what people wrote once it is older than it may be kept.
//!
//! Counted from the end of a session, so a conversation goes as a whole. What was copied into a report
//! stays with the report. Whoever keeps uploads sees that no message carries them any more. A step is one short transaction; replicas that run it at once skip what the
//! other has in hand.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::sweep::{Sweep, Swept};

use crate::state::State;
use crate::store::retention as store;

/// The sweep's name.
pub(crate) const RETENTION: &str = "chat-retention";

const EVERY: Duration = Duration::from_secs(3600);
/// How many sessions or requests one step erases.
const BATCH: u32 = 100;
/// How many messages one step deletes.
const MESSAGES_BATCH: u32 = 5_000;

/// The sweep; `kept` is how long text is kept, `None` for ever.
pub(crate) fn retention(state: Arc<State>, kept: Option<Duration>) -> Sweep {
    let step = move || {
        let state = state.clone();
        async move {
            match kept {
                Some(kept) => Ok(erase(&state, kept).await?),
                None => Ok(Swept::done(0)),
            }
        }
    };
    Sweep::new(RETENTION, EVERY, step).alone()
}

/// A session whose messages do not all go in one step keeps its place for the next.
async fn erase(state: &State, kept: Duration) -> Result<Swept, DbError> {
    let now = state.clock.now();
    let cutoff = now - kept;
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let sessions = store::lock_old_sessions(&tx, cutoff, i64::from(BATCH)).await?;
    let messages = store::delete_messages(&tx, &sessions, i64::from(MESSAGES_BATCH)).await?;
    let are_empty = messages < u64::from(MESSAGES_BATCH);
    if are_empty && !sessions.is_empty() {
        store::erase_sessions(&tx, &sessions, now).await?;
    }
    let requests = store::erase_requests(&tx, cutoff, now, i64::from(BATCH)).await?;
    tx.commit().await?;
    Ok(Swept {
        changed: messages + requests,
        more: !are_empty || sessions.len() >= BATCH as usize || requests >= u64::from(BATCH),
    })
}
