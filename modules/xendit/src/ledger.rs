//! The books. (Being written: the signatures that the rest of the module relies on.)

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::Undelivered;
use uuid::Uuid;

use crate::state::State;
use crate::store::payments::PaymentRow;

/// Books in `tx` that money came in: a receipt of this payment, in whole rupiah.
pub(crate) async fn charged(
    state: &State,
    tx: &Tx<'_>,
    payment: &PaymentRow,
    receipt_id: Uuid,
    amount: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    let _ = (state, tx, payment, receipt_id, amount, now);
    Ok(())
}

/// Books in `tx` what a customer gets credited for time that was not delivered: its share of what was
/// paid for the session. A session is credited once; where nothing was paid, nothing is booked.
pub(crate) async fn credited(
    state: &State,
    tx: &Tx<'_>,
    undelivered: &Undelivered,
    now: Timestamp,
) -> Result<(), DbError> {
    let _ = (state, tx, undelivered, now);
    Ok(())
}
