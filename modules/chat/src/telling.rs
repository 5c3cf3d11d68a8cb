//! What is said and shown after a session has changed: `session.updated` to both sides, and how busy its
//! mitras are now.
//!
//! It comes after the commit and never fails: what cannot be told now, sockets find by catch-up, and a
//! reseed shows the load.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};
use halobestie_core::AfterCommit;
use halobestie_core::pg::DbError;
use tracing::warn;
use uuid::Uuid;

use crate::live::events;
use crate::state::State;
use crate::store::sessions;

/// How many sessions are read at once.
const BATCH: usize = 500;
/// How many capacities are recomputed at once.
const LOADS_AT_ONCE: usize = 8;

/// Tells both sides of these sessions where they are now.
pub(crate) async fn tell(state: &State, session_ids: &[Uuid]) {
    for ids in session_ids.chunks(BATCH) {
        if let Err(error) = try_tell(state, ids).await {
            untold(&error);
        }
    }
}

async fn try_tell(state: &State, ids: &[Uuid]) -> Result<(), DbError> {
    let rows = sessions::find_all(&state.db, ids).await?;
    let details = state.details_of(&rows).await?;
    for row in &rows {
        state.announce_session(row, &details);
    }
    Ok(())
}

/// Tells the mitra that had a session that another one has taken it.
pub(crate) async fn tell_left(state: &State, session_id: Uuid, mitra_id: Uuid) {
    if let Err(error) = try_tell_left(state, session_id, mitra_id).await {
        untold(&error);
    }
}

async fn try_tell_left(state: &State, id: Uuid, mitra_id: Uuid) -> Result<(), DbError> {
    let rows = sessions::find_all(&state.db, &[id]).await?;
    let details = state.details_of(&rows).await?;
    for row in rows.iter().filter(|row| row.mitra_id != mitra_id) {
        let event = events::session_left(row, &details, state.clock.now());
        state.tell(mitra_id, event.as_ref());
    }
    Ok(())
}

fn untold(error: &DbError) {
    let error = error as &dyn std::error::Error;
    warn!(error, "cannot tell of a session now");
}

/// Shows how busy these mitras are now.
pub(crate) async fn show_loads(state: &State, mitra_ids: impl IntoIterator<Item = Uuid>) {
    let mitra_ids: HashSet<Uuid> = mitra_ids.into_iter().collect();
    stream::iter(mitra_ids)
        .for_each_concurrent(LOADS_AT_ONCE, |id| state.availability.load_changed(id))
        .await;
}

/// Tells of one session, and shows how busy its mitra is.
pub(crate) fn changed(state: &State, session_id: Uuid, mitra_id: Uuid) -> AfterCommit<'_> {
    AfterCommit::new(async move {
        tell(state, &[session_id]).await;
        state.availability.load_changed(mitra_id).await;
    })
}

/// One thing after the other.
pub(crate) fn in_turn<'a>(all: impl IntoIterator<Item = AfterCommit<'a>>) -> AfterCommit<'a> {
    let all: Vec<AfterCommit<'a>> = all.into_iter().collect();
    AfterCommit::new(async move {
        for one in all {
            one.run().await;
        }
    })
}
