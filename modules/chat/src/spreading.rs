//! Asks more mitras for the requests that are open to more: the next wave where one is due, and whoever
//! has become available where everybody was asked.
//!
//! Postgres alone decides who is asked: every statement leaves out who was asked before, so any number
//! of processes may do this at any time, and a process that has just started asks whom nobody asked.
//! [`considered`](crate::considered) only spares it the same question again.
//!
//! A service of its own, beside the timekeeper: to ask a thousand mitras takes longer than an ending
//! session may wait.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::{BoxError, Timestamp};
use tracing::warn;
use uuid::Uuid;

use crate::considered::Unconsidered;
use crate::offering::{self, Making};
use crate::state::State;
use crate::store::idleness;
use crate::store::waves::{self as store, NextWave, Open};
use crate::waves;

/// Between two looks: how long a mitra that becomes available waits for its offers at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Waves that are due this close together are asked together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How many requests one look takes; the rest waits until some of these are over.
const OPEN_MAX: i64 = 10_000;
/// How many pairs one statement considers, which bounds how long it holds its locks.
const PAIRS_A_STATEMENT: usize = 20_000;

/// The service `chat-offers`, on every worker.
pub(crate) async fn run(state: Arc<State>) -> Result<(), BoxError> {
    loop {
        let now = state.clock.now();
        let wake_at = match look(&state, now).await {
            Ok(wake_at) => wake_at,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(error, "cannot ask more mitras now");
                now + LOOK_EVERY
            }
        };
        tokio::select! {
            () = state.lifecycle.soft().cancelled() => return Ok(()),
            () = state.clock.sleep_until(wake_at) => {}
        }
    }
}

async fn look(state: &State, now: Timestamp) -> Result<Timestamp, DbError> {
    spread(state).await?;
    let due = store::next_due(&state.db, now).await?;
    let horizon = now + LOOK_EVERY;
    Ok(due.map_or(horizon, |due| due.clamp(now + TOGETHER, horizon)))
}

/// Asks whoever is to be asked now.
pub(crate) async fn spread(state: &State) -> Result<(), DbError> {
    let now = state.clock.now();
    let more = store::open_to_more(&state.db, now, OPEN_MAX).await?;
    if more.is_empty() {
        state.considered.forget_all();
        return Ok(());
    }
    let available = state.availability.find_available().await?;
    let (due, open): (Vec<Open>, Vec<Open>) = more.into_iter().partition(|it| it.is_wave_due);
    ask_waves(state, &due, &available, now).await?;
    ask_newcomers(state, &open, &available, now).await
}

/// Orders mitras for waves.
pub(crate) async fn ranked(state: &State, mitra_ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    let idleness = idleness::of(&state.db, mitra_ids).await?;
    let online_since = state.availability.online_since(mitra_ids).await?;
    Ok(waves::idle_longest_first(idleness, &online_since))
}

async fn ask_waves(
    state: &State,
    due: &[Open],
    available: &[Uuid],
    now: Timestamp,
) -> Result<(), DbError> {
    // A wave of nobody would count as asked; it stays due until there is somebody.
    if due.is_empty() || available.is_empty() {
        return Ok(());
    }
    let wave = state.waves.current();
    let ranked = match wave {
        Some(_) => ranked(state, available).await?,
        None => available.to_vec(),
    };
    let next = NextWave {
        mitra_ids: &ranked,
        size: wave.map(|wave| i64::try_from(wave.size).unwrap_or(i64::MAX)),
        next_at: wave.map(|wave| now + wave.lasts),
        now,
    };
    for request_ids in statements(&ids(due), ranked.len()) {
        let next = &next;
        offering::make(state, Making::Wave { request_ids, next }).await?;
    }
    Ok(())
}

async fn ask_newcomers(
    state: &State,
    open: &[Open],
    available: &[Uuid],
    now: Timestamp,
) -> Result<(), DbError> {
    let unconsidered = state.considered.compare(open, available, now);
    let Unconsidered {
        requests,
        known,
        newcomers,
        ..
    } = &unconsidered;
    ask(state, requests, available, now).await?;
    ask(state, known, newcomers, now).await?;
    state
        .considered
        .remember(&unconsidered, open, available, state.clock.now());
    Ok(())
}

async fn ask(
    state: &State,
    request_ids: &[Uuid],
    mitra_ids: &[Uuid],
    now: Timestamp,
) -> Result<(), DbError> {
    if mitra_ids.is_empty() {
        return Ok(());
    }
    for request_ids in statements(request_ids, mitra_ids.len()) {
        let missing = Making::Missing {
            request_ids,
            mitra_ids,
            now,
        };
        offering::make(state, missing).await?;
        let pairs = u64::try_from(request_ids.len() * mitra_ids.len()).unwrap_or(u64::MAX);
        state.metrics.pairs_considered.inc_by(pairs);
    }
    Ok(())
}

fn statements(requests: &[Uuid], mitras: usize) -> impl Iterator<Item = &[Uuid]> {
    requests.chunks((PAIRS_A_STATEMENT / mitras.max(1)).max(1))
}

fn ids(open: &[Open]) -> Vec<Uuid> {
    open.iter().map(|it| it.id).collect()
}
