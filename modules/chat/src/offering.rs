//! Offering requests to mitras: at once to those who are available, later to those who become so.

use std::collections::HashMap;

use halobestie_core::pg::DbError;
use halobestie_core::ports::{Principal, Role};
use tracing::warn;
use uuid::Uuid;

use crate::live::events;
use crate::notices;
use crate::pairing::GoneReason;
use crate::state::State;
use crate::store::offers::{self as store, OfferRow};
use crate::store::requests;
use crate::views::{Names, Offer};

/// The open offers of a mitra; none for anybody else. A mitra that comes late, and could take one, is
/// asked now.
pub(crate) async fn open_offers(
    state: &State,
    principal: &Principal,
) -> Result<Vec<Offer>, DbError> {
    if principal.role != Role::Mitra {
        return Ok(Vec::new());
    }
    let (mitra_id, now) = (principal.user_id, state.clock.now());
    if store::any_missing(&state.db, mitra_id, now).await?
        && state
            .availability
            .find_available()
            .await?
            .contains(&mitra_id)
    {
        store::insert_missing(&state.db, &[mitra_id], now).await?;
    }
    let rows = store::open_of(&state.db, mitra_id, now).await?;
    views(state, &rows).await
}

async fn views(state: &State, rows: &[OfferRow]) -> Result<Vec<Offer>, DbError> {
    let customers = rows.iter().map(|row| row.customer_id).collect();
    let names = Names::of(&*state.directory, customers).await?;
    Ok(rows.iter().map(|row| Offer::of(row, &names)).collect())
}

/// Offers what is open to everybody to every available mitra that was not asked yet: those who came
/// online, those who have a seat again, and all others once a preferred mitra had its time alone.
pub(crate) async fn spread(state: &State) -> Result<(), DbError> {
    if !store::any_open(&state.db, state.clock.now()).await? {
        return Ok(());
    }
    let available = state.availability.find_available().await?;
    if available.is_empty() {
        return Ok(());
    }
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let asked = store::insert_missing(&tx, &available, state.clock.now()).await?;
    let noticed = notices::asked(state, &tx, &asked).await?;
    tx.commit().await?;
    drop(client);
    noticed.run().await;
    let mut by_request: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for it in asked {
        by_request
            .entry(it.request_id)
            .or_default()
            .push(it.mitra_id);
    }
    announce(state, by_request).await;
    Ok(())
}

/// Tells mitras that they have been asked, and customers how many were. What has been committed stays
/// so if this fails, and catch-up tells it then.
pub(crate) async fn announce(state: &State, by_request: HashMap<Uuid, Vec<Uuid>>) {
    if let Err(error) = tell_asked(state, by_request).await {
        untold(&error);
    }
}

async fn tell_asked(state: &State, by_request: HashMap<Uuid, Vec<Uuid>>) -> Result<(), DbError> {
    if by_request.is_empty() {
        return Ok(());
    }
    let request_ids: Vec<Uuid> = by_request.keys().copied().collect();
    let mut rows = store::open_of_requests(&state.db, &request_ids, state.clock.now()).await?;
    rows.retain(|row| {
        by_request
            .get(&row.request_id)
            .is_some_and(|to| to.contains(&row.mitra_id))
    });
    let offers = views(state, &rows).await?;
    for (row, offer) in rows.iter().zip(&offers) {
        state.tell(row.mitra_id, events::offer(offer).as_ref());
    }
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
        state.announce_request(request);
    }
    Ok(())
}
