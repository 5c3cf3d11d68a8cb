//! Charges: the port by which whoever sells says what is to be paid.
//!
//! A charge is a row and a job in the seller's transaction; the invoice is made after its commit. Taking
//! it back is a status and a job likewise.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::AfterCommit;
use halobestie_core::jobs::NewJob;
use halobestie_core::pg::{DbError, Tx};
use halobestie_core::ports::{Charge, Payment, PaymentStatus, Payments, Undelivered};
use uuid::Uuid;

use crate::invoicing::{CloseInvoice, MakeInvoice};
use crate::ledger;
use crate::payment_state::{PaymentEvent, step};
use crate::state::State;
use crate::store::payments::{self, Change, PaymentRow};

/// Subjects that one call may ask for.
const SUBJECTS_MAX: usize = 1000;

/// Charges by Xendit's invoices.
pub(crate) struct Till {
    state: Arc<State>,
}

impl Till {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// After the commit: wakes who makes invoices, and shows the customer where the payment is.
    fn told<'a>(&'a self, row: PaymentRow, job: AfterCommit<'static>) -> AfterCommit<'a> {
        AfterCommit::new(async move {
            job.run().await;
            self.state.show(&row);
        })
    }
}

#[async_trait]
impl Payments for Till {
    async fn charge<'a>(
        &'a self,
        tx: &Tx<'_>,
        charge: &Charge<'_>,
    ) -> Result<(Payment, AfterCommit<'a>), DbError> {
        let state = &self.state;
        let (now, id) = (state.now(), state.entropy.uuid(&state.clock));
        let expires_at = now + state.payment_timeout;
        let row = payments::insert(tx, id, charge, now, expires_at).await?;
        let job = NewJob::of(MakeInvoice { payment_id: id });
        // Nothing is asked for any more once it could not be paid.
        let job = job.key(id).deadline(expires_at);
        let job = state.jobs.enqueue(tx, job).await?;
        Ok((row.view(), self.told(row, job)))
    }

    async fn withdraw<'a>(
        &'a self,
        tx: &Tx<'_>,
        subject_id: Uuid,
    ) -> Result<AfterCommit<'a>, DbError> {
        let nothing = || AfterCommit::new(async {});
        let Some(row) = payments::lock_of_subject(tx, subject_id).await? else {
            return Ok(nothing());
        };
        let Some(status) = step(row.status, PaymentEvent::Withdrawn) else {
            return Ok(nothing());
        };
        if status == row.status {
            return Ok(nothing());
        }
        let now = self.state.now();
        let changed = payments::change(tx, &row, &Change::to(status), now).await?;
        let row = changed.ok_or(DbError::Content("a locked payment was changed"))?;
        self.state.meters.count_payment(PaymentStatus::Expired);
        if row.asks == 0 {
            return Ok(self.told(row, nothing()));
        }
        let job = NewJob::of(CloseInvoice { payment_id: row.id });
        let job = self.state.jobs.enqueue(tx, job).await?;
        Ok(self.told(row, job))
    }

    async fn credit(&self, tx: &Tx<'_>, undelivered: &Undelivered) -> Result<(), DbError> {
        ledger::credited(&self.state, tx, undelivered, self.state.now()).await
    }

    async fn of_subjects(&self, subject_ids: &[Uuid]) -> Result<HashMap<Uuid, Payment>, DbError> {
        if subject_ids.is_empty() {
            return Ok(HashMap::new());
        }
        if subject_ids.len() > SUBJECTS_MAX {
            return Err(DbError::Content("too many subjects were asked for at once"));
        }
        let rows = payments::of_subjects(&self.state.db, subject_ids).await?;
        Ok(rows
            .iter()
            .map(|row| (row.subject_id, row.view()))
            .collect())
    }
}
