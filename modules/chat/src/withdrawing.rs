//! Takes back what is open to a mitra that was deactivated.
//!
//! Told by the bus, which may lose it. That costs little: a deactivated mitra is signed out, its accept
//! is refused by its seat, and an offer lives no longer than its request.

use std::sync::Arc;

use halobestie_core::BoxError;
use halobestie_core::bus::{Event, Subscription};
use halobestie_core::pg::DbError;
use halobestie_core::ports::AvailabilityChanged;
use tracing::warn;
use uuid::Uuid;

use crate::offering;
use crate::pairing::GoneReason;
use crate::state::State;
use crate::store::{offers, requests};

/// The service `chat-withdrawals`.
pub(crate) async fn run(state: Arc<State>, mut changes: Subscription) -> Result<(), BoxError> {
    loop {
        let event = tokio::select! {
            () = state.lifecycle.soft().cancelled() => return Ok(()),
            event = changes.next() => event,
        };
        let Some(mitra_id) = deactivated(&event) else {
            continue;
        };
        if let Err(error) = withdraw(&state, mitra_id).await {
            let error = &error as &dyn std::error::Error;
            warn!(mitra.id = %mitra_id, error, "cannot withdraw a mitra's offers; they expire");
        }
    }
}

fn deactivated(event: &Event) -> Option<Uuid> {
    let Event::Message(told) = event else {
        return None;
    };
    let told: AvailabilityChanged = serde_json::from_slice(told).ok()?;
    (!told.active).then_some(told.mitra_id)
}

/// Any number of processes may do it at once: each offer is withdrawn, and told of, by one of them.
async fn withdraw(state: &State, mitra_id: Uuid) -> Result<(), DbError> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let withdrawn = offers::withdraw(&tx, mitra_id).await?;
    for request_id in &withdrawn {
        requests::end_exclusive(&tx, *request_id, mitra_id, state.clock.now()).await?;
    }
    tx.commit().await?;
    drop(client);
    for request_id in &withdrawn {
        state.announce_gone(*request_id, &[mitra_id], GoneReason::Expired);
    }
    if withdrawn.is_empty() {
        return Ok(());
    }
    // Those that it was asked for alone are everybody's now.
    offering::spread(state).await
}
