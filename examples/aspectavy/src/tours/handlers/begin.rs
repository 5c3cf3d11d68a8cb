//! `POST /api/tours`

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};

use super::Tour;
use crate::tours::error::TourError;
use crate::tours::state::State;
use crate::tours::store::{self, Stored, TOURS_MAX};

/// Tours that one person records at once: a phone, a watch, and one that was forgotten.
const RECORDING_MAX: i64 = 5;

/// Begin a tour
#[utoipa::path(
    post, path = "/api/tours", tag = "tours", security(("bearer" = [])),
    responses(
        (status = 201, description = "Recording", body = Tour),
        (status = 409, description = "`too_many_tours`: five are recorded; `tours_full`: 500 are kept"),
    ),
)]
pub(in crate::tours) async fn begin(state: Arc<State>, req: Request) -> Reply {
    let caller = req.caller()?;
    let owner_id = caller.user_id;
    let (id, now) = (state.entropy.uuid(&state.clock), state.clock.now());
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    store::lock_owner(&tx, owner_id).await?;
    let owner = state.accounts.hold(&tx, caller.role, owner_id).await?;
    owner.ok_or(TourError::AccountClosed)?;
    if store::count_of(&tx, owner_id).await? >= TOURS_MAX {
        return Err(TourError::TooManyKept.into());
    }
    if !store::begin(&tx, id, owner_id, now, RECORDING_MAX).await? {
        return Err(TourError::TooMany.into());
    }
    tx.commit().await?;
    reply::created(&Tour::from(Stored {
        id,
        started_at: now,
        ended_at: None,
        summary: None,
    }))
}
