//! Handing a session to another mitra: its clock stops, it is offered anew to others, and the first to
//! accept goes on with what was left of it.
//!
//! The search is a request like any other, so offers, sockets and the one claim on it are those of
//! pairing; its customer sees the session alone. The end of the search without success is `ending`'s.

use halobestie_core::pg::{DbError, Tx};
use halobestie_core::{AfterCommit, Problem, Timestamp};
use tracing::warn;
use uuid::Uuid;

use crate::ending::overdue;
use crate::error::ChatError;
use crate::notices;
use crate::session_clock::SessionClock;
use crate::session_state::{Actor, SessionEvent, SessionStatus, Step, step};
use crate::spreading;
use crate::state::State;
use crate::store::events::{self, SessionTransition};
use crate::store::requests::{self, NewSearch};
use crate::store::sessions::SessionRow;
use crate::store::transitions::{self, Locked, Run};
use crate::store::{sessions, time, waiting};
use crate::telling;
use crate::timekeeper::warned_from_start;

/// Why a session looks for another mitra, as the audit notes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause<'a> {
    /// Its mitra gives it away, and may say why.
    Mitra(Uuid, Option<&'a str>),
    /// Its mitra is offline, or may not work any more.
    Gone,
    /// Its mitra has left the customer's first message unanswered.
    Unanswered,
}

impl<'a> Cause<'a> {
    fn actor(self) -> (Actor, Option<Uuid>) {
        match self {
            Self::Mitra(id, _) => (Actor::Mitra, Some(id)),
            Self::Gone | Self::Unanswered => (Actor::System, None),
        }
    }

    fn note(self) -> Option<&'a str> {
        match self {
            Self::Mitra(_, note) => note,
            Self::Gone => Some("mitra_gone"),
            Self::Unanswered => Some("unanswered"),
        }
    }
}

/// Gives a session away, by its mitra; the session as it is then, for another one may have it at once.
/// Nothing more happens where that was done before.
///
/// # Errors
/// `not_found`, `session_not_active`.
pub(crate) async fn by_mitra(
    state: &State,
    session_id: Uuid,
    mitra_id: Uuid,
    reason: Option<&str>,
) -> Result<SessionRow, Problem> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let locked = transitions::lock_of(&tx, mitra_id, session_id).await?;
    let locked = locked.ok_or(ChatError::NotFound)?;
    let after = begin(state, &tx, &locked, Cause::Mitra(mitra_id, reason)).await?;
    let row = sessions::find_of(&tx, mitra_id, session_id).await?;
    tx.commit().await?;
    drop(client);
    after.run().await;
    Ok(row.ok_or(ChatError::NotFound)?)
}

/// Takes a session from a mitra that is not there any more. The mitra's seat says so under its lock, so one
/// that has come back in the meantime keeps its sessions.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn from_gone(
    state: &State,
    session_id: Uuid,
    mitra_id: Uuid,
) -> Result<Option<AfterCommit<'_>>, ChatError> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let seat = state.availability.lock_seat(&tx, mitra_id).await?;
    if seat.is_none_or(|seat| seat.is_online && seat.is_active) {
        return Ok(None);
    }
    let locked = transitions::lock(&tx, session_id).await?;
    let Some(locked) = locked.filter(|locked| locked.mitra_id == mitra_id) else {
        return Ok(None);
    };
    commit_by_system(state, tx, &locked, Cause::Gone).await
}

/// Takes a session from a mitra that leaves the customer without a first answer.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn from_silent(
    state: &State,
    session_id: Uuid,
    awaited_since: Timestamp,
) -> Result<Option<AfterCommit<'_>>, ChatError> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let Some(locked) = transitions::lock(&tx, session_id).await? else {
        return Ok(None);
    };
    // A message numbers itself under the session's lock, so this holds until the commit.
    if !waiting::is_unanswered(&tx, session_id, awaited_since).await? {
        return Ok(None);
    }
    commit_by_system(state, tx, &locked, Cause::Unanswered).await
}

async fn commit_by_system<'a>(
    state: &'a State,
    tx: Tx<'_>,
    locked: &Locked,
    cause: Cause<'_>,
) -> Result<Option<AfterCommit<'a>>, ChatError> {
    match begin(state, &tx, locked, cause).await {
        Ok(after) => {
            tx.commit().await?;
            Ok(Some(after))
        }
        // It has ended, or changed hands already.
        Err(ChatError::SessionNotActive) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Stops the clock of a session that the caller has locked, and opens the search.
async fn begin<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    locked: &Locked,
    cause: Cause<'_>,
) -> Result<AfterCommit<'a>, ChatError> {
    let now = state.clock.now();
    let (actor, actor_id) = cause.actor();
    match step(locked.status, SessionEvent::Reroute, actor) {
        Ok(Step::To(_)) if overdue(locked, now).is_none() => {}
        Ok(Step::Stay) => return Ok(telling::in_turn([])),
        _ => return Err(ChatError::SessionNotActive),
    }
    let stopped = locked.clock.stop(now);
    let waits_until = now + state.reroute_timeout;
    transitions::reroute(tx, locked.id, stopped.left, waits_until).await?;
    time::consumed(tx, locked.id, stopped.consumed, now).await?;
    let rerouted = SessionTransition {
        session_id: locked.id,
        event: SessionEvent::Reroute,
        actor,
        actor_id,
        note: cause.note(),
        at: now,
    };
    events::record_session(tx, &rerouted).await?;
    search(state, tx, locked, now, waits_until).await?;
    let changed = telling::changed(state, locked.id, locked.mitra_id);
    let paused = notices::session(locked.id, SessionStatus::Rerouting, &[locked.customer_id]);
    let noticed = notices::write(state, tx, &paused).await?;
    Ok(telling::in_turn([changed, offered(state), noticed]))
}

/// Opens the request that is offered to the others: never to a mitra that has had the session.
async fn search(
    state: &State,
    tx: &Tx<'_>,
    locked: &Locked,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let mut excluded_mitra_ids = locked.former_mitra_ids.clone();
    excluded_mitra_ids.push(locked.mitra_id);
    let search = NewSearch {
        id: state.entropy.uuid(&state.clock),
        session_id: locked.id,
        customer_id: locked.customer_id,
        topic: locked.topic.as_deref(),
        package: &locked.package,
        excluded_mitra_ids: &excluded_mitra_ids,
        created_at: now,
        expires_at,
    };
    requests::insert_search(tx, &search).await
}

/// Asks the others now; `spreading` does it within a second otherwise.
fn offered(state: &State) -> AfterCommit<'_> {
    AfterCommit::new(async move {
        if let Err(error) = spreading::spread(state).await {
            let error = &error as &dyn std::error::Error;
            warn!(error, "cannot offer a session anew now");
        }
    })
}

/// Locks a session that looks for another mitra; `None` when it does not look for one any more.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn lock_searching(
    state: &State,
    tx: &Tx<'_>,
    session_id: Uuid,
) -> Result<Option<Locked>, DbError> {
    let now = state.clock.now();
    let locked = transitions::lock(tx, session_id).await?;
    Ok(locked.filter(|locked| {
        let step = step(locked.status, SessionEvent::Taken, Actor::Mitra);
        matches!(step, Ok(Step::To(_))) && overdue(locked, now).is_none()
    }))
}

/// Gives a session that is locked by [`lock_searching`] to the mitra that has claimed its search.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn hand_over(
    tx: &Tx<'_>,
    locked: &Locked,
    mitra_id: Uuid,
    now: Timestamp,
) -> Result<(), DbError> {
    let left = locked.clock.left(now);
    if let SessionClock::Running { since, until } = SessionClock::started(now, left) {
        let run = Run {
            since,
            until,
            warned_seconds: warned_from_start(left),
        };
        transitions::take(tx, locked.id, mitra_id, run).await?;
    }
    let taken = SessionTransition {
        session_id: locked.id,
        event: SessionEvent::Taken,
        actor: Actor::Mitra,
        actor_id: Some(mitra_id),
        note: None,
        at: now,
    };
    events::record_session(tx, &taken).await
}
