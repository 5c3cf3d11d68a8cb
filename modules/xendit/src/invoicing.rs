//! Invoices of payments: made, found again after a lost answer, kept to one, and expired when they are
//! no longer wanted. A job each; both begin with what is true now, so doing either twice is harmless.
//!
//! The invariant: before Xendit is asked for an invoice, that it will be is committed. So whoever comes
//! later, after a crash or a lost answer, looks for the invoice before asking for another.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::jobs::{Attempt, Backoff, Failure, Handler, Job, Late, NewJob, Policy};
use halobestie_core::pg::DbError;
use halobestie_core::ports::PaymentStatus;
use serde::{Deserialize, Serialize};
use tracing::error;
use uuid::Uuid;

use crate::asking;
use crate::gateway::{GatewayError, Invoice, InvoiceStatus, NewInvoice};
use crate::handlers::returns;
use crate::payment_state::{PaymentEvent, step};
use crate::settling::{self, Settled};
use crate::state::State;
use crate::store::payments::{self, PaymentRow};

/// Makes the invoice of a payment.
#[derive(Serialize, Deserialize)]
pub(crate) struct MakeInvoice {
    pub(crate) payment_id: Uuid,
}

impl Job for MakeInvoice {
    const KIND: &'static str = "make-invoice";
    const POLICY: Policy = Policy {
        // A customer waits, and the deadline ends it.
        attempts_max: 1000,
        backoff: Backoff {
            first: Duration::from_secs(1),
            factor: 2.0,
            max: Duration::from_secs(15),
            jitter: 0.2,
        },
        timeout: Duration::from_secs(60),
        when_late: Late::Forgotten,
        ..Policy::DEFAULT
    };
}

/// Expires at Xendit what is left of a payment that nobody wants any more.
#[derive(Serialize, Deserialize)]
pub(crate) struct CloseInvoice {
    pub(crate) payment_id: Uuid,
}

impl Job for CloseInvoice {
    const KIND: &'static str = "close-invoice";
    const POLICY: Policy = Policy {
        // What is left of it, the comparison with Xendit closes.
        attempts_max: 5,
        timeout: Duration::from_secs(60),
        life: Duration::from_secs(3600),
        when_late: Late::Forgotten,
        ..Policy::DEFAULT
    };
}

/// Who makes invoices.
pub(crate) fn making(state: Arc<State>) -> Handler {
    Handler::new(move |attempt: Attempt<MakeInvoice>| {
        let state = state.clone();
        async move { make(&state, attempt.payload.payment_id, attempt.id).await }
    })
}

/// Who expires them.
pub(crate) fn closing(state: Arc<State>) -> Handler {
    Handler::new(move |attempt: Attempt<CloseInvoice>| {
        let state = state.clone();
        async move {
            let payment_id = attempt.payload.payment_id;
            let asked = asking::ask(&state, payment_id, attempt.id).await;
            asked.map(drop).map_err(asking::AskError::into_failure)
        }
    })
}

async fn make(state: &State, payment_id: Uuid, request_id: Uuid) -> Result<(), Failure> {
    let row = payments::find(&state.db, payment_id).await?;
    let Some(mut row) = row.filter(|it| it.status == PaymentStatus::Creating) else {
        return Ok(());
    };
    if row.asks > 0 {
        // Somebody asked before, and its answer was lost: it may be there.
        let asked = asking::ask(state, payment_id, request_id).await;
        match asked.map_err(asking::AskError::into_failure)? {
            Some(still) if still.status == PaymentStatus::Creating => row = still,
            _ => return Ok(()),
        }
    }
    let left = row.expires_at.since(state.now()).as_secs();
    if left == 0 {
        return give_up(state, &row, PaymentEvent::Expired).await;
    }
    let Some(row) = payments::note_ask(&state.db, &row, state.now()).await? else {
        return Err("the payment was changed meanwhile".into());
    };
    let (success_url, failure_url) = returns::links(state, row.id);
    let wanted = NewInvoice {
        payment_id: row.id,
        amount: row.amount,
        description: &row.description,
        duration_seconds: left,
        success_url: &success_url,
        failure_url: &failure_url,
    };
    match state.gateway.create(request_id, &wanted).await {
        Ok(invoice) => made(state, &row, &invoice).await,
        Err(refusal) if refusal.is_refusal() => {
            error!(payment.id = %row.id, error = %refusal, "xendit makes no invoice");
            give_up(state, &row, PaymentEvent::InvoiceRefused).await
        }
        Err(GatewayError::Busy { after }) => {
            let cause = GatewayError::Busy { after };
            Err(Failure::not_yet(after, cause))
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes down an invoice that was made. Where the payment was given up meanwhile, it is closed again.
async fn made(state: &State, row: &PaymentRow, invoice: &Invoice) -> Result<(), Failure> {
    if invoice.external_id != row.id.to_string() {
        return Err(Failure::give_up(
            "xendit answered with an invoice of another payment",
        ));
    }
    let noted = adopt(state, row, invoice).await?;
    if noted.is_some() {
        return Ok(());
    }
    // Paid, or no longer wanted, between the call and its answer.
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let job = NewJob::of(CloseInvoice { payment_id: row.id });
    let job = state.jobs.enqueue(&tx, job).await?;
    tx.commit().await?;
    job.run().await;
    Ok(())
}

/// Makes an invoice the payment's own, if the payment still waits for one.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn adopt(
    state: &State,
    row: &PaymentRow,
    invoice: &Invoice,
) -> Result<Option<PaymentRow>, DbError> {
    let Some(status) = step(row.status, PaymentEvent::InvoiceMade) else {
        return Ok(None);
    };
    if invoice.status != InvoiceStatus::Pending {
        return Ok(None);
    }
    let names = (invoice.id.as_str(), invoice.url.as_deref());
    let noted = payments::note_invoice(&state.db, row, status, names, state.now()).await?;
    if let Some(row) = &noted {
        state.meters.count_payment(row.status);
        state.show(row);
    }
    Ok(noted)
}

/// Closes a payment for which there will be no invoice.
async fn give_up(state: &State, row: &PaymentRow, event: PaymentEvent) -> Result<(), Failure> {
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    match settling::close(state, &tx, row, event).await? {
        Settled::Changed(row, after) => {
            tx.commit().await?;
            drop(client);
            settling::finish(state, &row, after).await;
            Ok(())
        }
        Settled::Raced => Err("the payment was changed meanwhile".into()),
        _ => Ok(()),
    }
}
