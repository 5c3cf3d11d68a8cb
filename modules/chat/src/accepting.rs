//! Accepting an offer: exactly one mitra wins, and none ever has more sessions than it may.
//!
//! Locks, always in this order. The mitra's seat makes its accepts follow each other, so the count of its
//! sessions holds until the commit. A session that looks for another mitra is locked next, as by whoever ends
//! it. The request's row is then changed by one conditional statement, which is the only claim there is.

use halobestie_core::http::exchange::RequestId;
use halobestie_core::pg::{DbError, Query, Tx};
use halobestie_core::ports::{Charge, Payments, Purpose, Role, Seat};
use halobestie_core::{AfterCommit, Problem, Timestamp};
use uuid::Uuid;

use crate::error::ChatError;
use crate::extending::time_of;
use crate::notices;
use crate::offering;
use crate::pairing::{Accepting, GoneReason, acceptable};
use crate::rerouting;
use crate::session_state::{Actor, SessionStatus};
use crate::state::State;
use crate::store::events::{self, Transition};
use crate::store::offers::{OfferState, Over};
use crate::store::requests::Claimed;
use crate::store::transitions::{self as store, NewSession, Run};
use crate::store::{offers, requests, sessions, time};
use crate::telling;
use crate::timekeeper::warned_from_start;
use crate::views::Session;

/// A session that a mitra has won.
pub(crate) struct Won<'a> {
    pub(crate) session_id: Uuid,
    /// What this call has changed; `None` where an earlier one of the same mitra has won it.
    pub(crate) change: Option<Change<'a>>,
}

/// What is to be told and done once a win is committed.
pub(crate) struct Change<'a> {
    request_id: Uuid,
    /// Who had the session before.
    former_mitra_id: Option<Uuid>,
    /// The invoice, where something is to be paid.
    charged: Option<AfterCommit<'a>>,
    /// What the customer hears, and the mitras that came too late.
    noticed: AfterCommit<'a>,
}

/// Accepts an offer for a mitra. `cause`: the HTTP request that does it.
///
/// # Errors
/// `not_found` when it was not offered to this mitra, or the conflict that stood in the way.
pub(crate) async fn accept<'a>(
    state: &'a State,
    request_id: Uuid,
    mitra_id: Uuid,
    cause: Option<&RequestId>,
) -> Result<Won<'a>, Problem> {
    let mut client = state.db.client().await?;
    // Whoever comes too late is told so without any lock.
    if let Found::AlreadyMine(session_id) = look(&client, request_id, mitra_id).await? {
        let change = None;
        return Ok(Won { session_id, change });
    }
    let tx = client.begin().await?;
    let seat = state
        .availability
        .lock_seat(&tx, mitra_id)
        .await?
        .ok_or(ChatError::NotFound)?;
    let reroute_of = match look(&tx, request_id, mitra_id).await? {
        Found::AlreadyMine(session_id) => {
            let change = None;
            return Ok(Won { session_id, change });
        }
        Found::Open { reroute_of } => reroute_of,
    };
    check_seat(&tx, seat, mitra_id).await?;
    let attempt = Attempt {
        request_id,
        mitra_id,
        now: state.clock.now(),
        cause,
    };
    let won = match reroute_of {
        Some(session_id) => attempt.take_over(state, &tx, session_id).await?,
        None => attempt.open(state, &tx).await?,
    };
    let Some((session_id, change)) = won else {
        // Somebody was faster, or its time was over: the second look says which.
        look(&tx, request_id, mitra_id).await?;
        return Err(ChatError::OfferExpired.into());
    };
    attempt.note(&tx, session_id).await?;
    tx.commit().await?;
    let change = Some(change);
    Ok(Won { session_id, change })
}

/// An offer of which its request can be claimed, or has been by the same mitra.
enum Found {
    Open {
        /// The session that looks for another mitra by it.
        reroute_of: Option<Uuid>,
    },
    AlreadyMine(Uuid),
}

/// What an accept comes to once its request is over.
///
/// # Errors
/// As [`accept`].
pub(crate) fn too_late<'a>(over: &Over, mitra_id: Uuid) -> Result<Won<'a>, Problem> {
    match judge(over.of(mitra_id), mitra_id)? {
        Found::AlreadyMine(session_id) => {
            let change = None;
            Ok(Won { session_id, change })
        }
        Found::Open { .. } => Err(ChatError::OfferExpired.into()),
    }
}

async fn look(query: &impl Query, request_id: Uuid, mitra_id: Uuid) -> Result<Found, Problem> {
    judge(offers::find(query, request_id, mitra_id).await?, mitra_id)
}

fn judge(offer: Option<OfferState>, mitra_id: Uuid) -> Result<Found, Problem> {
    let offer = offer.ok_or(ChatError::NotFound)?;
    let reroute_of = offer.reroute_of;
    let found = acceptable(offer.status, offer.won_by, offer.session_id, mitra_id)?;
    Ok(match found {
        Accepting::Open => Found::Open { reroute_of },
        Accepting::AlreadyMine(session_id) => Found::AlreadyMine(session_id),
    })
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

/// A mitra's try to claim a request.
struct Attempt<'r> {
    request_id: Uuid,
    mitra_id: Uuid,
    now: Timestamp,
    cause: Option<&'r RequestId>,
}

impl Attempt<'_> {
    /// Claims a session's search and hands the session over; `None` when it is not to be had any more.
    async fn take_over<'a>(
        &self,
        state: &State,
        tx: &Tx<'_>,
        session_id: Uuid,
    ) -> Result<Option<(Uuid, Change<'a>)>, Problem> {
        let Some(locked) = rerouting::lock_searching(state, tx, session_id).await? else {
            return Ok(None);
        };
        if self.claim(tx, session_id).await?.is_none() {
            return Ok(None);
        }
        rerouting::hand_over(tx, &locked, self.mitra_id, self.now).await?;
        let customer_id = locked.customer_id;
        let change = Change {
            request_id: self.request_id,
            former_mitra_id: Some(locked.mitra_id),
            charged: None,
            noticed: self
                .notice(state, tx, session_id, SessionStatus::Active, customer_id)
                .await?,
        };
        Ok(Some((session_id, change)))
    }

    /// Claims a customer's request and writes its session: started, or waiting for the payment that is
    /// charged with it. `None` when the request is not to be had any more.
    async fn open<'a>(
        &self,
        state: &'a State,
        tx: &Tx<'_>,
    ) -> Result<Option<(Uuid, Change<'a>)>, Problem> {
        let id = state.entropy.uuid(&state.clock);
        let Some(claimed) = self.claim(tx, id).await? else {
            return Ok(None);
        };
        let session = NewSession {
            id,
            request_id: self.request_id,
            customer_id: claimed.customer_id,
            mitra_id: self.mitra_id,
            topic: claimed.topic.as_deref(),
            package: &claimed.package,
            created_at: self.now,
        };
        let charged = match state.seller_of(&claimed.package) {
            Some(payments) => Some(open_charged(payments, tx, &session, self.cause).await?),
            None => {
                open_started(tx, &session).await?;
                None
            }
        };
        let status = match charged {
            Some(_) => SessionStatus::PendingPayment,
            None => SessionStatus::Active,
        };
        let change = Change {
            request_id: self.request_id,
            former_mitra_id: None,
            charged,
            noticed: self
                .notice(state, tx, id, status, claimed.customer_id)
                .await?,
        };
        Ok(Some((id, change)))
    }

    /// Lets the customer hear of its session, and the mitras that came too late of their offers.
    async fn notice(
        &self,
        state: &State,
        tx: &Tx<'_>,
        session_id: Uuid,
        status: SessionStatus,
        customer_id: Uuid,
    ) -> Result<AfterCommit<'static>, DbError> {
        let for_customer = notices::session(session_id, status, &[customer_id]);
        Ok(telling::in_turn([
            notices::write(state, tx, &for_customer).await?,
            notices::gone(state, tx, &[self.request_id], GoneReason::Taken).await?,
        ]))
    }

    async fn claim(&self, tx: &Tx<'_>, session_id: Uuid) -> Result<Option<Claimed>, DbError> {
        requests::claim(tx, self.request_id, self.mitra_id, session_id, self.now).await
    }

    async fn note(&self, tx: &Tx<'_>, session_id: Uuid) -> Result<(), DbError> {
        let accepted = Transition {
            request_id: Some(self.request_id),
            session_id: Some(session_id),
            event: "request_accepted",
            actor: Actor::Mitra,
            actor_id: self.mitra_id,
            at: self.now,
        };
        events::record(tx, &accepted).await
    }
}

async fn open_started(tx: &Tx<'_>, session: &NewSession<'_>) -> Result<(), Problem> {
    let (now, bought) = (session.created_at, time_of(session.package));
    let run = Run {
        since: now,
        until: now + bought,
        warned_seconds: warned_from_start(bought),
    };
    store::insert_started(tx, session, run).await?;
    time::bought(tx, session.id, session.id, bought, now).await?;
    Ok(())
}

async fn open_charged<'a>(
    payments: &'a dyn Payments,
    tx: &Tx<'_>,
    session: &NewSession<'_>,
    cause: Option<&RequestId>,
) -> Result<AfterCommit<'a>, Problem> {
    let charge = Charge {
        subject_id: session.id,
        purpose: Purpose::Session,
        session_id: session.id,
        customer_id: session.customer_id,
        amount: session.package.amount,
        description: &session.package.name,
        request_id: cause,
    };
    let (payment, charged) = payments.charge(tx, &charge).await?;
    store::insert_pending(tx, session, payment.expires_at).await?;
    Ok(charged)
}

/// Tells everybody what a win has changed, and gives the session as its mitra sees it.
///
/// # Errors
/// When Postgres does not answer; the win stands, and asking again gives the same session.
pub(crate) async fn finish(
    state: &State,
    won: Won<'_>,
    mitra_id: Uuid,
) -> Result<Session, Problem> {
    if let Some(change) = &won.change {
        let mitras = change.former_mitra_id.into_iter().chain([mitra_id]);
        telling::show_loads(state, mitras).await;
    }
    let found = sessions::find_of(&state.db, mitra_id, won.session_id).await?;
    let row = found.ok_or(ChatError::NotFound)?;
    let details = state.details_of(std::slice::from_ref(&row)).await?;
    if let Some(change) = won.change {
        state.announce_session(&row, &details);
        if let Some(former_mitra_id) = change.former_mitra_id {
            telling::tell_left(state, row.id, former_mitra_id).await;
        }
        offering::announce_over(state, change.request_id, GoneReason::Taken).await;
        change.noticed.run().await;
        if let Some(charged) = change.charged {
            charged.run().await;
        }
    }
    Ok(Session::of(&row, &details, Role::Mitra, state.clock.now()))
}
