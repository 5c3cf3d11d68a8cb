//! The books: double entry, a movement for everything that happens to money.
//!
//! What is booked for what is `movement`'s; here it is written, in the transaction of the thing itself. The
//! invariants: the entries of a movement sum to zero, a receipt, a refund or a session is booked once
//! for what it is, and nothing booked is ever changed.
//!
//! A sale counts as earned when it is delivered, which is when it is paid: a session lasts minutes, so
//! nothing is deferred. Money that came and is for nothing we sold is held: it is its customer's. A
//! refund gives back what is held first, then what the customer was credited, and only then what was
//! earned, so that nobody gets the same rupiah twice.

mod movement;

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{PaymentStatus, Undelivered};
use uuid::Uuid;

use crate::state::State;
use crate::store::ledger::{self as store, NewMovement};
use crate::store::payments::PaymentRow;

use self::movement::Movement;

pub(crate) use self::movement::{Entry, Owed, Way, rupiah, share};

/// Books in `tx` that money came in: a receipt of this payment, in whole rupiah. `payment` is the row as
/// this receipt has left it: the first money of one that is paid by it is its price, all other is held.
pub(crate) async fn charged(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    receipt_id: Uuid,
    amount: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    let is_price = payment.status == PaymentStatus::Paid && payment.paid_amount == amount;
    let movement = match is_price {
        true => Movement::Sold { amount },
        false => Movement::Held { amount },
    };
    book(
        state,
        tx,
        movement,
        About::payment(payment, receipt_id),
        now,
    )
    .await
}

/// Books in `tx` what Xendit has kept of a receipt, in whole rupiah; nothing where it is booked already.
pub(crate) async fn fee_taken(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    receipt_id: Uuid,
    amount: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    let about = About::payment(payment, receipt_id);
    book(state, tx, Movement::Fee { amount }, about, now).await
}

/// Books in `tx` what a customer gets credited for time that was not delivered: its share of what was
/// earned by the session and does not go back already. A session is credited once; where nothing was
/// paid, nothing is booked.
pub(crate) async fn credited(
    state: &State,
    tx: &Tx<'_>,
    undelivered: &Undelivered,
    now: Timestamp,
) -> Result<(), DbError> {
    store::lock_session(tx, undelivered.session_id).await?;
    let earned = store::earned_by_session(tx, undelivered.session_id).await?;
    let (bought, rest) = (undelivered.bought_seconds, undelivered.undelivered_seconds);
    let amount = share(earned, bought, rest);
    if amount == 0 {
        return Ok(());
    }
    let about = About {
        source_id: undelivered.session_id,
        payment_id: None,
        session_id: undelivered.session_id,
        customer_id: undelivered.customer_id,
    };
    book(state, tx, Movement::Credited { amount }, about, now).await
}

/// Books in `tx` that money went back. The session's payments must be locked by
/// [`store::lock_session`], so that two refunds do not give back the same.
pub(crate) async fn returned_to_customer(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    (refund_id, amount, way): (Uuid, i64, Way),
    now: Timestamp,
) -> Result<(), DbError> {
    let owed = store::owed(tx, payment.id, payment.session_id).await?;
    let movement = Movement::Returned { amount, owed, way };
    book(state, tx, movement, About::payment(payment, refund_id), now).await
}

/// What a movement is about.
struct About {
    source_id: Uuid,
    payment_id: Option<Uuid>,
    session_id: Uuid,
    customer_id: Uuid,
}

impl About {
    fn payment(payment: &PaymentRow, source_id: Uuid) -> Self {
        Self {
            source_id,
            payment_id: Some(payment.id),
            session_id: payment.session_id,
            customer_id: payment.customer_id,
        }
    }
}

async fn book(
    state: &State,
    tx: &Tx<'_>,
    movement: Movement,
    about: About,
    now: Timestamp,
) -> Result<(), DbError> {
    let new = NewMovement {
        id: state.entropy.uuid(&state.clock),
        kind: movement.kind(),
        source_id: about.source_id,
        payment_id: about.payment_id,
        session_id: about.session_id,
        customer_id: about.customer_id,
        entries: &movement.entries(),
    };
    store::insert(tx, &new, now).await
}
