//! Offers as they are made, listed and told: to whom a new request goes first, what is open to a mitra,
//! and what everybody hears of it.

use std::collections::{HashMap, HashSet};

use halobestie_core::Timestamp;
use halobestie_core::pg::DbError;
use tracing::warn;
use uuid::Uuid;

use crate::live::events;
use crate::notices;
use crate::pairing::GoneReason;
use crate::spreading;
use crate::state::State;
use crate::store::offers::{self as store, Asked, OfferRow};
use crate::store::waves::{self, NextWave};
use crate::store::{blocks, requests};
use crate::views::{Names, Offer};

/// Whom this customer's request may be offered to, in the order in which waves take them.
pub(crate) async fn candidates(state: &State, customer_id: Uuid) -> Result<Vec<Uuid>, DbError> {
    let mut available = state.availability.find_available().await?;
    let barred = blocks::mitras_barred_from(&state.db, customer_id).await?;
    if !barred.is_empty() {
        let barred: HashSet<Uuid> = barred.into_iter().collect();
        available.retain(|mitra_id| !barred.contains(mitra_id));
    }
    match state.waves.current() {
        Some(_) => spreading::ranked(state, &available).await,
        None => Ok(available),
    }
}

/// The open offers of these mitras. A mitra that comes late, and could take one, is asked now.
pub(crate) async fn open_offers(
    state: &State,
    mitra_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Offer>>, DbError> {
    let mut of_each: HashMap<Uuid, Vec<Offer>> = HashMap::new();
    if mitra_ids.is_empty() {
        return Ok(of_each);
    }
    let now = state.clock.now();
    let missing = store::missing_of(&state.db, mitra_ids, now).await?;
    if !missing.is_empty() {
        make_missing(state, &missing, now).await?;
    }
    let rows = store::open_of(&state.db, mitra_ids, now).await?;
    for (row, offer) in rows.iter().zip(views(state, &rows).await?) {
        of_each.entry(row.mitra_id).or_default().push(offer);
    }
    Ok(of_each)
}

/// Makes the offers that these mitras come too late for, to those who could take one.
async fn make_missing(state: &State, missing: &[Asked], now: Timestamp) -> Result<(), DbError> {
    let available: HashSet<Uuid> = state
        .availability
        .find_available()
        .await?
        .into_iter()
        .collect();
    let can = missing
        .iter()
        .filter(|(_, mitra_id)| available.contains(mitra_id));
    let (requests, mitras): (HashSet<Uuid>, HashSet<Uuid>) = can.copied().unzip();
    if requests.is_empty() {
        return Ok(());
    }
    let making = Making::Missing {
        request_ids: &requests.into_iter().collect::<Vec<_>>(),
        mitra_ids: &mitras.into_iter().collect::<Vec<_>>(),
        now,
    };
    make(state, making).await
}

async fn views(state: &State, rows: &[OfferRow]) -> Result<Vec<Offer>, DbError> {
    let customers = rows.iter().map(|row| row.customer_id).collect();
    let names = Names::of(&*state.directory, customers).await?;
    Ok(rows.iter().map(|row| Offer::of(row, &names)).collect())
}

/// Offers to be made.
pub(crate) enum Making<'a> {
    /// Of these requests, to those of these mitras that were not asked yet.
    Missing {
        request_ids: &'a [Uuid],
        mitra_ids: &'a [Uuid],
        now: Timestamp,
    },
    /// Of these requests, to the next wave.
    Wave {
        request_ids: &'a [Uuid],
        next: &'a NextWave<'a>,
    },
}

/// Makes offers and tells of them.
pub(crate) async fn make(state: &State, making: Making<'_>) -> Result<(), DbError> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let asked = match making {
        Making::Missing {
            request_ids,
            mitra_ids,
            now,
        } => store::insert_missing(&tx, request_ids, mitra_ids, now).await?,
        Making::Wave { request_ids, next } => waves::insert_wave(&tx, request_ids, next).await?,
    };
    let noticed = notices::asked(state, &tx, &asked).await?;
    tx.commit().await?;
    drop(client);
    noticed.run().await;
    announce(state, &asked).await;
    Ok(())
}

/// Tells mitras that they have been asked just now, and customers how many were. What has been committed
/// stays so if this fails, and catch-up tells it then.
pub(crate) async fn announce(state: &State, asked: &[Asked]) {
    if asked.is_empty() {
        return;
    }
    let offers = u64::try_from(asked.len()).unwrap_or(u64::MAX);
    state.metrics.offers.inc_by(offers);
    if let Err(error) = tell_asked(state, asked).await {
        untold(&error);
    }
}

async fn tell_asked(state: &State, asked: &[Asked]) -> Result<(), DbError> {
    let mut by_request: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (request_id, mitra_id) in asked {
        by_request.entry(*request_id).or_default().push(*mitra_id);
    }
    // All offers of a request that were made together look the same, so one of them is read.
    let first = |(id, mitras): (&Uuid, &Vec<Uuid>)| Some((*id, *mitras.first()?));
    let firsts: Vec<Asked> = by_request.iter().filter_map(first).collect();
    let rows = store::open_among(&state.db, &firsts, state.clock.now()).await?;
    for offer in views(state, &rows).await? {
        if let Some(mitra_ids) = by_request.get(&offer.request_id) {
            state.tell_all(mitra_ids, events::offer(&offer).as_ref());
        }
    }
    let request_ids: Vec<Uuid> = by_request.into_keys().collect();
    for request in requests::find_all(&state.db, &request_ids).await? {
        state.announce_request(request);
    }
    Ok(())
}

/// Tells everybody that a request is over: its customer, and the mitras that still look at it. What has
/// been committed stays so if this fails, and catch-up tells it then.
pub(crate) async fn announce_over(state: &State, request_id: Uuid, reason: GoneReason) {
    if let Err(error) = tell_over(state, request_id, reason).await {
        untold(&error);
    }
}

fn untold(error: &DbError) {
    warn!(
        error = error as &dyn std::error::Error,
        "cannot tell of a request now"
    );
}

async fn tell_over(state: &State, request_id: Uuid, reason: GoneReason) -> Result<(), DbError> {
    let mitras = store::mitras_of(&state.db, request_id).await?;
    state.announce_gone(request_id, &mitras, reason);
    for request in requests::find_all(&state.db, &[request_id]).await? {
        if reason == GoneReason::Taken && request.reroute_of.is_none() {
            let waited = state.clock.now().since(request.created_at);
            state.metrics.accept_seconds.observe(waited.as_secs_f64());
        }
        state.announce_request(request);
    }
    Ok(())
}
