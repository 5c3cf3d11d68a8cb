//! What happens when something was paid for, or will not be: the port by which whoever charges says so.
//!
//! Everything runs in the caller's transaction and takes the session's lock first, so a payment, an end and
//! a second telling of the same payment follow each other, and only the first has an effect.

use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::AfterCommit;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Delivery, Payment, Purchases, Purpose};
use uuid::Uuid;

use crate::ending::{self, Ender};
use crate::error::ChatError;
use crate::extending::{self, ExtensionStatus, time_of};
use crate::live::events as live;
use crate::notices;
use crate::session_state::{Actor, SessionEvent, SessionStatus, Step, step};
use crate::state::State;
use crate::store::events::{self, SessionTransition};
use crate::store::transitions::{self, Locked, Run};
use crate::store::{extensions, time};
use crate::telling;
use crate::timekeeper::warned_from_start;

/// Delivers sessions and extensions.
pub(crate) struct Counter {
    pub(crate) state: Arc<State>,
}

type Delivered<'a> = (Delivery, AfterCommit<'a>);

#[async_trait]
impl Purchases for Counter {
    async fn paid<'a>(
        &'a self,
        tx: &Tx<'_>,
        purpose: Purpose,
        subject_id: Uuid,
    ) -> Result<Delivered<'a>, DbError> {
        match purpose {
            Purpose::Session => start(&self.state, tx, subject_id).await,
            Purpose::Extension => extend(&self.state, tx, subject_id).await,
        }
    }

    async fn unpaid<'a>(
        &'a self,
        tx: &Tx<'_>,
        purpose: Purpose,
        subject_id: Uuid,
    ) -> Result<AfterCommit<'a>, DbError> {
        match purpose {
            Purpose::Session => give_up(&self.state, tx, subject_id).await,
            Purpose::Extension => lapse(&self.state, tx, subject_id).await,
        }
    }

    fn show(&self, customer_id: Uuid, payment: &Payment) {
        self.state
            .tell(customer_id, live::payment(payment).as_ref());
    }
}

fn nothing<'a>(delivery: Delivery) -> Delivered<'a> {
    (delivery, telling::in_turn([]))
}

/// Starts the clock of a session that was paid.
async fn start<'a>(state: &'a State, tx: &Tx<'_>, id: Uuid) -> Result<Delivered<'a>, DbError> {
    let Some(locked) = transitions::lock(tx, id).await? else {
        return Ok(nothing(Delivery::TooLate));
    };
    if step(locked.status, SessionEvent::Paid, Actor::System) != Ok(Step::To(SessionStatus::Active))
    {
        // It has run, so this payment has started it before; or it was over before that.
        let delivery = match locked.started_at {
            Some(_) => Delivery::Delivered,
            None => Delivery::TooLate,
        };
        return Ok(nothing(delivery));
    }
    write_start(state, tx, &locked).await?;
    let changed = telling::changed(state, locked.id, locked.mitra_id);
    // The customer hears of the payment.
    let begun = notices::session(locked.id, SessionStatus::Active, &[locked.mitra_id]);
    let noticed = notices::write(state, tx, &begun).await?;
    let after = telling::in_turn([changed, noticed]);
    Ok((Delivery::Delivered, after))
}

async fn write_start(state: &State, tx: &Tx<'_>, locked: &Locked) -> Result<(), DbError> {
    let (now, bought) = (state.clock.now(), time_of(&locked.package));
    let run = Run {
        since: now,
        until: now + bought,
        warned_seconds: warned_from_start(bought),
    };
    transitions::start(tx, locked.id, run).await?;
    time::bought(tx, locked.id, locked.id, bought, now).await?;
    let paid = SessionTransition {
        session_id: locked.id,
        event: SessionEvent::Paid,
        actor: Actor::System,
        actor_id: None,
        note: None,
        at: now,
    };
    events::record_session(tx, &paid).await
}

/// Applies an extension that was paid, also one that had been given up: its session still goes on.
async fn extend<'a>(state: &'a State, tx: &Tx<'_>, id: Uuid) -> Result<Delivered<'a>, DbError> {
    let Some(locked) = lock_session_of(tx, id).await? else {
        return Ok(nothing(Delivery::TooLate));
    };
    let now = state.clock.now();
    match extensions::find(tx, id).await? {
        Some((ExtensionStatus::Applied, _)) => Ok(nothing(Delivery::Delivered)),
        Some((_, package))
            if extending::apply(tx, &locked, id, &package, Actor::System, now).await? =>
        {
            let after = telling::changed(state, locked.id, locked.mitra_id);
            Ok((Delivery::Delivered, after))
        }
        _ => Ok(nothing(Delivery::TooLate)),
    }
}

async fn lock_session_of(tx: &Tx<'_>, extension_id: Uuid) -> Result<Option<Locked>, DbError> {
    match extensions::session_of(tx, extension_id).await? {
        Some(session_id) => transitions::lock(tx, session_id).await,
        None => Ok(None),
    }
}

/// Ends a session whose payment will not come. One that has started, or is over, is left alone.
async fn give_up<'a>(state: &'a State, tx: &Tx<'_>, id: Uuid) -> Result<AfterCommit<'a>, DbError> {
    match ending::end_in(state, tx, id, Ender::Payment).await {
        Ok(after) => Ok(after),
        Err(ChatError::Db(error)) => Err(error),
        Err(_) => Ok(telling::in_turn([])),
    }
}

/// Gives up an extension whose payment will not come, so that another one can be asked for.
async fn lapse<'a>(state: &'a State, tx: &Tx<'_>, id: Uuid) -> Result<AfterCommit<'a>, DbError> {
    if let Some(locked) = lock_session_of(tx, id).await? {
        let now = state.clock.now();
        extensions::close(tx, id, ExtensionStatus::Lapsed, now).await?;
        if locked.unpaid_extension_id == Some(id) {
            transitions::note_unpaid_extension(tx, locked.id, None).await?;
        }
    }
    Ok(telling::in_turn([]))
}
