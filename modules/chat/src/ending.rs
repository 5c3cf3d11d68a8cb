//! The end of a session, whoever or whatever brings it about.
//!
//! One function, in the caller's transaction, on a session that the caller has locked: it closes the books,
//! gives back what is to be given back, takes back what nobody will pay any more, and ends the search for
//! another mitra. The order of locks is seat, session, request, payment.

use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::Undelivered;
use halobestie_core::{AfterCommit, Problem, Timestamp};
use uuid::Uuid;

use crate::error::ChatError;
use crate::extending::ExtensionStatus;
use crate::notices;
use crate::offering;
use crate::pairing::{GoneReason, RequestStatus};
use crate::session_clock::SessionClock;
use crate::session_state::{Actor, EndReason, SessionEvent, SessionStatus, Step, step};
use crate::state::State;
use crate::store::events::{self, SessionTransition};
use crate::store::transitions::{self, Locked};
use crate::store::{extensions, requests, time};
use crate::telling;

/// Who or what ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ender {
    Customer(Uuid),
    Mitra(Uuid),
    Admin(Uuid),
    /// The time for it is over.
    Clock,
    /// Its payment has expired or failed, and is closed by whoever says so.
    Payment,
}

impl Ender {
    fn actor(self) -> (Actor, Option<Uuid>) {
        match self {
            Self::Customer(id) => (Actor::Customer, Some(id)),
            Self::Mitra(id) => (Actor::Mitra, Some(id)),
            Self::Admin(id) => (Actor::Admin, Some(id)),
            Self::Clock | Self::Payment => (Actor::System, None),
        }
    }
}

/// What has come about by itself already, even if no worker has written it down yet; and when.
pub(crate) fn overdue(locked: &Locked, now: Timestamp) -> Option<(SessionEvent, Timestamp)> {
    let (event, due) = match (locked.status, locked.clock) {
        (SessionStatus::Active, SessionClock::Running { until, .. }) => {
            (SessionEvent::Expire, Some(until))
        }
        (SessionStatus::PendingPayment, _) => (SessionEvent::PaymentExpired, locked.waits_until),
        (SessionStatus::Rerouting, _) => (SessionEvent::RerouteFailed, locked.waits_until),
        (SessionStatus::Active | SessionStatus::Ended, _) => return None,
    };
    due.filter(|due| *due <= now).map(|due| (event, due))
}

/// Ends a session in a transaction of its own; nothing happens to one that is over. What is to be done
/// after it has been done.
///
/// # Errors
/// `not_found`, `session_state`, or that Postgres does not answer.
pub(crate) async fn end(state: &State, id: Uuid, by: Ender) -> Result<(), Problem> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let after = end_in(state, &tx, id, by).await?;
    tx.commit().await?;
    drop(client);
    after.run().await;
    Ok(())
}

/// Ends a session in the caller's transaction, as [`end`] does. The clock ends only what is overdue.
///
/// # Errors
/// As [`end`].
pub(crate) async fn end_in<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    id: Uuid,
    by: Ender,
) -> Result<AfterCommit<'a>, ChatError> {
    Ok(end_known(state, tx, id, by).await?.after)
}

/// What came of an end.
pub(crate) struct Ended<'a> {
    /// Where the session was when it was locked.
    pub(crate) was: SessionStatus,
    /// Why it ended; `None` where nothing happened.
    pub(crate) reason: Option<EndReason>,
    pub(crate) after: AfterCommit<'a>,
}

impl Ended<'_> {
    fn not(was: SessionStatus) -> Self {
        Self {
            was,
            reason: None,
            after: telling::in_turn([]),
        }
    }
}

/// Ends a session as [`end_in`] does, and says what came of it.
///
/// # Errors
/// As [`end`].
pub(crate) async fn end_known<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    id: Uuid,
    by: Ender,
) -> Result<Ended<'a>, ChatError> {
    let now = state.clock.now();
    let locked = match by {
        Ender::Customer(user_id) | Ender::Mitra(user_id) => {
            transitions::lock_of(tx, user_id, id).await?
        }
        Ender::Admin(_) | Ender::Clock | Ender::Payment => transitions::lock(tx, id).await?,
    };
    let locked = locked.ok_or(ChatError::NotFound)?;
    if by == Ender::Payment && locked.status != SessionStatus::PendingPayment {
        return Ok(Ended::not(locked.status));
    }
    let end = match (overdue(&locked, now), by) {
        (Some((event, at)), _) => End {
            by: if by == Ender::Payment {
                by
            } else {
                Ender::Clock
            },
            event,
            at,
        },
        (None, Ender::Clock) => return Ok(Ended::not(locked.status)),
        (None, Ender::Payment) => End {
            by,
            event: SessionEvent::PaymentExpired,
            at: now,
        },
        (None, _) => End {
            by,
            event: SessionEvent::End,
            at: now,
        },
    };
    end.write(state, tx, &locked, now).await
}

/// An end that is to be written.
struct End {
    by: Ender,
    event: SessionEvent,
    /// When it came about.
    at: Timestamp,
}

impl End {
    async fn write<'a>(
        &self,
        state: &'a State,
        tx: &Tx<'_>,
        locked: &Locked,
        now: Timestamp,
    ) -> Result<Ended<'a>, ChatError> {
        let (actor, actor_id) = self.by.actor();
        let reason = match step(locked.status, self.event, actor) {
            Ok(Step::End(reason)) => reason,
            Ok(Step::Stay) => return Ok(Ended::not(locked.status)),
            Ok(Step::To(_)) | Err(_) => return Err(ChatError::SessionState),
        };
        transitions::end(tx, locked.id, reason, self.at).await?;
        let ended = SessionTransition {
            session_id: locked.id,
            event: self.event,
            actor,
            actor_id,
            note: None,
            at: now,
        };
        events::record_session(tx, &ended).await?;
        let searched = close_search(tx, locked, reason, now).await?;
        close_books(state, tx, locked, reason, self.at).await?;
        let mut after = vec![telling::changed(state, locked.id, locked.mitra_id)];
        let notices = notices::ended(locked.id, reason, &self.others(locked));
        after.push(notices::write(state, tx, &notices).await?);
        if let Some((request_id, gone)) = searched {
            after.push(notices::gone(state, tx, &[request_id], gone).await?);
        }
        after.extend(searched.map(|(id, gone)| search_over(state, id, gone)));
        after.extend(self.withdraw(state, tx, locked, now).await?);
        Ok(Ended {
            was: locked.status,
            reason: Some(reason),
            after: telling::in_turn(after),
        })
    }

    /// Whom it is news to: not whoever ends it.
    fn others(&self, locked: &Locked) -> Vec<Uuid> {
        let (_, by) = self.by.actor();
        let mut others = vec![locked.customer_id, locked.mitra_id];
        others.retain(|it| Some(*it) != by);
        others
    }

    /// Takes back what nobody has to pay any more. The payment that ends a session is closed by whoever
    /// says so.
    async fn withdraw<'a>(
        &self,
        state: &'a State,
        tx: &Tx<'_>,
        locked: &Locked,
        now: Timestamp,
    ) -> Result<Vec<AfterCommit<'a>>, DbError> {
        let is_unpaid = locked.status == SessionStatus::PendingPayment && self.by != Ender::Payment;
        let mut unwanted: Vec<Uuid> = is_unpaid.then_some(locked.id).into_iter().collect();
        if let Some(extension_id) = locked.unpaid_extension_id {
            extensions::close(tx, extension_id, ExtensionStatus::Lapsed, now).await?;
            unwanted.push(extension_id);
        }
        let mut after = Vec::new();
        if let Some(payments) = state.payments() {
            for subject_id in unwanted {
                after.push(payments.withdraw(tx, subject_id).await?);
            }
        }
        Ok(after)
    }
}

async fn close_search(
    tx: &Tx<'_>,
    locked: &Locked,
    reason: EndReason,
    now: Timestamp,
) -> Result<Option<(Uuid, GoneReason)>, DbError> {
    if locked.status != SessionStatus::Rerouting {
        return Ok(None);
    }
    let (status, gone) = match reason {
        EndReason::RerouteFailed => (RequestStatus::Expired, GoneReason::Expired),
        _ => (RequestStatus::Cancelled, GoneReason::Cancelled),
    };
    let request_id = requests::close_search(tx, locked.id, status, now).await?;
    Ok(request_id.map(|id| (id, gone)))
}

fn search_over(state: &State, request_id: Uuid, gone: GoneReason) -> AfterCommit<'_> {
    AfterCommit::new(offering::announce_over(state, request_id, gone))
}

/// Books where the last of the time goes, and credits the customer for what was not delivered.
async fn close_books(
    state: &State,
    tx: &Tx<'_>,
    locked: &Locked,
    reason: EndReason,
    at: Timestamp,
) -> Result<(), DbError> {
    let settled = locked.clock.settle(at, reason);
    time::consumed(tx, locked.id, settled.consumed, at).await?;
    if settled.returned.is_zero() {
        return Ok(());
    }
    time::returned(tx, locked.id, settled.returned, at).await?;
    let Some(payments) = state.payments() else {
        return Ok(());
    };
    let bought = time::bought_in_all(tx, locked.id).await?;
    // Packages are whole minutes. A second that was begun and not delivered is the customer's.
    let undelivered = Undelivered {
        session_id: locked.id,
        customer_id: locked.customer_id,
        bought_seconds: seconds(bought.as_millis()),
        undelivered_seconds: seconds(settled.returned.as_millis()),
    };
    payments.credit(tx, &undelivered).await
}

fn seconds(ms: u128) -> i64 {
    i64::try_from(ms.div_ceil(1000)).unwrap_or(i64::MAX)
}
