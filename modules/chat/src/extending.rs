//! More time for a session: applied at once where nothing is to be paid, on its payment otherwise.
//!
//! The invariant: an extension is applied at most once, in the transaction that books its time.

use std::time::Duration;

use halobestie_core::http::exchange::RequestId;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Charge, Payment, Purpose};
use halobestie_core::{AfterCommit, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ending::overdue;
use crate::error::ChatError;
use crate::packages::Package;
use crate::session_clock::SessionClock;
use crate::session_state::{Actor, SessionEvent, SessionStatus, Step, step};
use crate::state::State;
use crate::store::events::{self, SessionTransition};
use crate::store::transitions::{self, Locked, Run};
use crate::store::{extensions as store, time};
use crate::timekeeper::warned_from_start;

/// How much may be left of a session once it is extended.
const LEFT_MAX: Duration = Duration::from_secs(24 * 3600);

/// Where an extension is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExtensionStatus {
    /// It waits for its payment.
    PendingPayment,
    /// The session has it.
    Applied,
    /// It was not paid, or its session was over first.
    Lapsed,
}

impl ExtensionStatus {
    const ALL: [Self; 3] = [Self::PendingPayment, Self::Applied, Self::Lapsed];

    /// The name on the wire and in Postgres.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Applied => "applied",
            Self::Lapsed => "lapsed",
        }
    }

    /// Reads a name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// The time of a package.
pub(crate) fn time_of(package: &Package) -> Duration {
    Duration::from_secs(u64::from(package.minutes) * 60)
}

/// An extension that has just been made.
pub(crate) struct Made<'a> {
    pub(crate) id: Uuid,
    /// What is to be paid for it.
    pub(crate) payment: Option<Payment>,
    /// What is left to be done by whoever charges.
    pub(crate) after: Option<AfterCommit<'a>>,
}

/// Makes an extension of a session that its customer has locked. `cause`: the HTTP request that does it.
///
/// # Errors
/// `session_not_active`, `extension_pending`, `extension_limit`.
pub(crate) async fn make<'a>(
    state: &'a State,
    tx: &Tx<'_>,
    locked: &Locked,
    package: &Package,
    cause: Option<&RequestId>,
) -> Result<Made<'a>, ChatError> {
    let now = state.clock.now();
    check(locked, package, now)?;
    let id = state.entropy.uuid(&state.clock);
    store::insert(tx, id, locked.id, package, now).await?;
    let Some(payments) = state.seller_of(package) else {
        apply(tx, locked, id, package, Actor::Customer, now).await?;
        return Ok(Made {
            id,
            payment: None,
            after: None,
        });
    };
    transitions::note_unpaid_extension(tx, locked.id, Some(id)).await?;
    let charge = Charge {
        subject_id: id,
        purpose: Purpose::Extension,
        session_id: locked.id,
        customer_id: locked.customer_id,
        amount: package.amount,
        description: &package.name,
        request_id: cause,
    };
    let (payment, after) = payments.charge(tx, &charge).await?;
    Ok(Made {
        id,
        payment: Some(payment),
        after: Some(after),
    })
}

fn check(locked: &Locked, package: &Package, now: Timestamp) -> Result<(), ChatError> {
    let goes_on = matches!(
        locked.status,
        SessionStatus::Active | SessionStatus::Rerouting
    );
    if !goes_on || overdue(locked, now).is_some() {
        return Err(ChatError::SessionNotActive);
    }
    if locked.unpaid_extension_id.is_some() {
        return Err(ChatError::ExtensionPending);
    }
    if locked.clock.left(now) + time_of(package) > LEFT_MAX {
        return Err(ChatError::ExtensionLimit);
    }
    Ok(())
}

/// Gives a session that the caller has locked the time of an extension; false when the session is over.
pub(crate) async fn apply(
    tx: &Tx<'_>,
    locked: &Locked,
    extension_id: Uuid,
    package: &Package,
    actor: Actor,
    now: Timestamp,
) -> Result<bool, DbError> {
    let leads_on = matches!(
        step(locked.status, SessionEvent::Extend, actor),
        Ok(Step::To(_))
    );
    if !leads_on || overdue(locked, now).is_some() {
        return Ok(false);
    }
    let bought = time_of(package);
    lengthen(tx, locked.id, locked.clock.extended(bought), now).await?;
    time::bought(tx, locked.id, extension_id, bought, now).await?;
    store::close(tx, extension_id, ExtensionStatus::Applied, now).await?;
    if locked.unpaid_extension_id == Some(extension_id) {
        transitions::note_unpaid_extension(tx, locked.id, None).await?;
    }
    let extended = SessionTransition {
        session_id: locked.id,
        event: SessionEvent::Extend,
        actor,
        actor_id: (actor == Actor::Customer).then_some(locked.customer_id),
        note: None,
        at: now,
    };
    events::record_session(tx, &extended).await?;
    Ok(true)
}

/// Writes how a session's clock is once it has more time.
async fn lengthen(
    tx: &Tx<'_>,
    id: Uuid,
    clock: SessionClock,
    now: Timestamp,
) -> Result<(), DbError> {
    match clock {
        SessionClock::Running { since, until } => {
            let run = Run {
                since,
                until,
                warned_seconds: warned_from_start(until.since(now)),
            };
            transitions::extend_running(tx, id, run).await
        }
        SessionClock::Standing { left } => transitions::extend_standing(tx, id, left).await,
        SessionClock::Empty => Ok(()),
    }
}
