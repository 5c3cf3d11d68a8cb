//! Takes back offers that must not stand: those of a mitra that was deactivated, and those between two
//! who do not want to meet.
//!
//! The bus tells of deactivations, and what it loses, or nobody told because a process died between its
//! commit and its word, is found in Postgres: at the start, after every loss, and every few seconds
//! while anything is open.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use halobestie_core::BoxError;
use halobestie_core::bus::{Event, Subscription};
use halobestie_core::pg::DbError;
use halobestie_core::ports::AvailabilityChanged;
use tracing::warn;
use uuid::Uuid;

use crate::notices;
use crate::pairing::GoneReason;
use crate::spreading;
use crate::state::State;
use crate::store::blocks::Pair;
use crate::store::requests;
use crate::store::withdrawals::{self as store, Withdrawn};

/// Between two looks at Postgres, well under the promised 5 s.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long before a request a deactivation may have been for its mitra to be asked all the same: a
/// mirror that missed it shows it after its next reseed at the latest.
const SHOWN_AFTER: Duration = Duration::from_secs(600);

/// The service `chat-withdrawals`.
pub(crate) async fn run(state: Arc<State>, mut changes: Subscription) -> Result<(), BoxError> {
    let mut told = None;
    loop {
        let done = match told {
            Some(mitra_id) => withdraw_from(&state, &[mitra_id]).await,
            None => catch_up(&state).await,
        };
        if let Err(error) = done {
            let error = &error as &dyn std::error::Error;
            warn!(error, "cannot withdraw offers now; the next look does");
        }
        told = tokio::select! {
            () = state.lifecycle.soft().cancelled() => return Ok(()),
            told = next_deactivation(&state, &mut changes) => told,
            () = state.clock.sleep(LOOK_EVERY) => None,
        };
    }
}

/// The next mitra that was deactivated; `None` after a loss. Whoever has changed otherwise may have lost
/// its offers meanwhile, too, and is considered again.
async fn next_deactivation(state: &State, changes: &mut Subscription) -> Option<Uuid> {
    loop {
        match changes.next().await {
            Event::Lost => {
                state.considered.forget_all();
                return None;
            }
            Event::Message(told) => {
                let Ok(told) = serde_json::from_slice::<AvailabilityChanged>(&told) else {
                    continue;
                };
                state.considered.forget(told.mitra_id);
                if !told.active {
                    return Some(told.mitra_id);
                }
            }
        }
    }
}

/// Finds in Postgres what nobody has told.
async fn catch_up(state: &State) -> Result<(), DbError> {
    let Some(oldest) = requests::oldest_open(&state.db, state.clock.now()).await? else {
        return Ok(());
    };
    let deactivated = state
        .availability
        .deactivated_since(oldest - SHOWN_AFTER)
        .await?;
    if deactivated.is_empty() {
        return Ok(());
    }
    withdraw_from(state, &deactivated).await
}

async fn withdraw_from(state: &State, mitra_ids: &[Uuid]) -> Result<(), DbError> {
    withdraw(
        state,
        Withdrawn {
            mitra_ids,
            customer_id: None,
        },
    )
    .await
}

/// Takes back the open offer between two who are blocked, if there is one.
pub(crate) async fn withdraw_between(state: &State, pair: Pair) -> Result<(), DbError> {
    withdraw(
        state,
        Withdrawn {
            mitra_ids: &[pair.mitra_id],
            customer_id: Some(pair.customer_id),
        },
    )
    .await
}

/// Any number of processes may do it at once: each offer is withdrawn, and told of, by one of them.
async fn withdraw(state: &State, these: Withdrawn<'_>) -> Result<(), DbError> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let request_ids = store::lock_requests_of(&tx, these).await?;
    if request_ids.is_empty() {
        return Ok(());
    }
    let withdrawn = store::withdraw(&tx, &request_ids, these.mitra_ids).await?;
    let waiting = requests::end_waiting(&tx, &request_ids, state.clock.now()).await?;
    let noticed = notices::gone_for(state, &tx, &withdrawn, GoneReason::Expired).await?;
    tx.commit().await?;
    drop(client);
    noticed.run().await;
    let mut by_request: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (request_id, mitra_id) in withdrawn {
        state.considered.forget(mitra_id);
        by_request.entry(request_id).or_default().push(mitra_id);
    }
    for (request_id, mitra_ids) in by_request {
        state.announce_gone(request_id, &mitra_ids, GoneReason::Expired);
    }
    if waiting > 0 {
        // Those that they were asked for alone are others' now.
        spreading::spread(state).await?;
    }
    Ok(())
}
