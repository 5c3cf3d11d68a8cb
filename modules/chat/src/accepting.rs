//! Accepting an offer: exactly one mitra wins, and none ever has more sessions than it may.
//!
//! Two locks, always in this order. The mitra's seat makes its accepts follow each other, so the count
//! of its sessions holds until the commit. The request's row is then changed by one conditional
//! statement, which is the only claim there is.

use std::time::Duration;

use halobestie_core::pg::Tx;
use halobestie_core::ports::Seat;
use halobestie_core::{Problem, Timestamp};
use uuid::Uuid;

use crate::error::ChatError;
use crate::pairing::{Accepting, acceptable};
use crate::session_state::Actor;
use crate::state::State;
use crate::store::events::{self, Transition};
use crate::store::sessions::NewSession;
use crate::store::{offers, requests, sessions};
use crate::timekeeper;

/// A session that a mitra has won.
pub(crate) struct Won {
    pub(crate) session_id: Uuid,
    /// Whether this call won it; otherwise an earlier one of the same mitra did.
    pub(crate) is_new: bool,
}

/// Accepts an offer for a mitra.
///
/// # Errors
/// `not_found` when it was not offered to this mitra, or the conflict that stood in the way.
pub(crate) async fn accept(
    state: &State,
    request_id: Uuid,
    mitra_id: Uuid,
) -> Result<Won, Problem> {
    let now = state.clock.now();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let seat = state
        .availability
        .lock_seat(&tx, mitra_id)
        .await?
        .ok_or(ChatError::NotFound)?;
    if let Accepting::AlreadyMine(session_id) = look(&tx, request_id, mitra_id).await? {
        return Ok(Won {
            session_id,
            is_new: false,
        });
    }
    check_seat(&tx, seat, mitra_id).await?;
    let session_id = state.entropy.uuid(&state.clock);
    let Some(won) = requests::claim(&tx, request_id, mitra_id, session_id, now).await? else {
        // Somebody was faster, or its time was over: the second look says which.
        look(&tx, request_id, mitra_id).await?;
        return Err(ChatError::OfferExpired.into());
    };
    let lasts = Duration::from_secs(u64::from(won.package.minutes) * 60);
    let session = NewSession {
        id: session_id,
        request_id,
        customer_id: won.customer_id,
        mitra_id,
        topic: won.topic.as_deref(),
        package: &won.package,
        started_at: now,
        expires_at: now + lasts,
        warned_seconds: timekeeper::warned_from_start(lasts),
    };
    sessions::insert(&tx, &session).await?;
    events::record(&tx, &accepted(&session, now)).await?;
    tx.commit().await?;
    drop(client);
    state.availability.load_changed(mitra_id).await;
    Ok(Won {
        session_id,
        is_new: true,
    })
}

async fn look(tx: &Tx<'_>, request_id: Uuid, mitra_id: Uuid) -> Result<Accepting, Problem> {
    let offer = offers::find(tx, request_id, mitra_id)
        .await?
        .ok_or(ChatError::NotFound)?;
    Ok(acceptable(
        offer.status,
        offer.won_by,
        offer.session_id,
        mitra_id,
    )?)
}

async fn check_seat(tx: &Tx<'_>, seat: Seat, mitra_id: Uuid) -> Result<(), Problem> {
    if !seat.is_active {
        return Err(ChatError::MitraDeactivated.into());
    }
    if !seat.is_online {
        return Err(ChatError::MitraOffline.into());
    }
    if sessions::count_open(tx, mitra_id).await? >= i64::from(seat.max_sessions) {
        return Err(ChatError::CapacityReached.into());
    }
    Ok(())
}

fn accepted(session: &NewSession<'_>, at: Timestamp) -> Transition {
    Transition {
        request_id: Some(session.request_id),
        session_id: Some(session.id),
        event: "request_accepted",
        actor: Actor::Mitra,
        actor_id: session.mitra_id,
        at,
    }
}
