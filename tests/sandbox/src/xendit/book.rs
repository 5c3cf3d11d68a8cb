//! All invoices and refunds, and what may become of them. Pure: events are left for the courier.

use std::fmt;
use std::time::Duration;

use halobestie_core::timestamp::Timestamp;
use serde_json::Value;

use super::channel::Channel;
use super::invoice::{Invoice, Payment};
use super::rate::Rate;
use super::refund::Refund;
use crate::ring::{Kept, Ring};
use crate::upstream::Answer;

/// Payments of one invoice at most.
const PAYMENTS_MAX: usize = 20;

/// Something that a webhook tells.
pub(super) struct Event {
    /// The invoice or refund.
    pub(super) about: String,
    /// For a person: `invoice PAID`.
    pub(super) what: String,
    pub(super) body: Value,
}

/// The answer to a request that carried an idempotency key.
pub(super) struct Replied {
    pub(super) key: String,
    pub(super) request: Value,
    pub(super) answer: Answer,
}

impl Kept for Replied {
    fn id(&self) -> &str {
        &self.key
    }
}

/// Why something cannot be done to an invoice or refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unable {
    /// There is none of this id.
    Unknown,
    /// Its status does not allow it.
    WrongStatus,
    /// It was done too often.
    TooOften,
}

impl fmt::Display for Unable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Unknown => "unknown id",
            Self::WrongStatus => "its status does not allow this",
            Self::TooOften => "done too often",
        })
    }
}

impl std::error::Error for Unable {}

/// The account's records.
pub(super) struct Book {
    pub(super) invoices: Ring<Invoice>,
    pub(super) refunds: Ring<Refund>,
    pub(super) replied: Ring<Replied>,
    pub(super) rate: Rate,
    /// Whether webhooks of refunds are an envelope within an envelope.
    pub(super) nested: bool,
    pub(super) events: Vec<Event>,
}

impl Book {
    pub(super) fn new(keep: usize, per_minute: usize) -> Self {
        Self {
            invoices: Ring::new(keep),
            refunds: Ring::new(keep),
            replied: Ring::new(keep),
            rate: Rate::new(per_minute),
            nested: false,
            events: Vec::new(),
        }
    }

    /// Money comes in: the invoice is paid, whatever it was before. Late and double payments are real.
    pub(super) fn receive(&mut self, id: &str, payment: Payment) -> Result<(), Unable> {
        let invoice = self.invoices.get_mut(id).ok_or(Unable::Unknown)?;
        take(invoice, &payment)?;
        "PAID".clone_into(&mut invoice.status);
        let event = told(invoice, Some(&payment));
        self.events.push(event);
        Ok(())
    }

    /// Some of the money comes in: the invoice waits for the rest.
    pub(super) fn receive_part(&mut self, id: &str, payment: Payment) -> Result<(), Unable> {
        let invoice = self.invoices.get_mut(id).ok_or(Unable::Unknown)?;
        if !invoice.is_pending() {
            return Err(Unable::WrongStatus);
        }
        take(invoice, &payment)?;
        let event = told(invoice, Some(&payment));
        self.events.push(event);
        Ok(())
    }

    /// The invoice can no longer be paid.
    pub(super) fn expire(&mut self, id: &str, now: Timestamp) -> Result<(), Unable> {
        let invoice = self.invoices.get_mut(id).ok_or(Unable::Unknown)?;
        if !invoice.is_pending() {
            return Err(Unable::WrongStatus);
        }
        "EXPIRED".clone_into(&mut invoice.status);
        (invoice.expires, invoice.updated) = (now, now);
        let event = told(invoice, None);
        self.events.push(event);
        Ok(())
    }

    /// Expires all whose time is over.
    pub(super) fn expire_due(&mut self, now: Timestamp) {
        let due = |it: &&mut Invoice| it.is_pending() && it.expires <= now;
        for invoice in self.invoices.iter_mut().filter(due) {
            "EXPIRED".clone_into(&mut invoice.status);
            invoice.updated = now;
            let event = told(invoice, None);
            self.events.push(event);
        }
    }

    /// When the next pending invoice expires.
    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        let pending = self.invoices.iter().filter(|it| it.is_pending());
        pending.map(|it| it.expires).min()
    }

    /// What of the money of a payment, or of all payments, is neither back nor on its way.
    pub(super) fn refundable(&self, invoice: &Invoice, payment_request_id: Option<&str>) -> i64 {
        let paid = |it: &&Payment| payment_request_id.is_none_or(|id| it.payment_request_id == id);
        let back = |it: &&Refund| {
            it.invoice_id == invoice.id
                && it.holds_money()
                && (payment_request_id.is_none()
                    || it.payment_request_id.as_deref() == payment_request_id)
        };
        let paid: i64 = invoice
            .payments
            .iter()
            .filter(paid)
            .map(|it| it.amount)
            .sum();
        let back: i64 = self.refunds.iter().filter(back).map(|it| it.amount).sum();
        paid - back
    }

    /// A refund ends; `failure`: why it failed.
    pub(super) fn end_refund(
        &mut self,
        id: &str,
        failure: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Unable> {
        let nested = self.nested;
        let refund = self.pending_refund(id)?;
        refund.status = if failure.is_some() {
            "FAILED"
        } else {
            "SUCCEEDED"
        }
        .to_owned();
        refund.failure_code = failure.map(str::to_owned);
        refund.updated = now;
        let event = Event {
            about: refund.id.clone(),
            what: format!("refund {}", refund.status),
            body: refund.event(now, nested),
        };
        self.events.push(event);
        Ok(())
    }

    pub(super) fn cancel_refund(&mut self, id: &str, now: Timestamp) -> Result<Refund, Unable> {
        let refund = self.pending_refund(id)?;
        "CANCELLED".clone_into(&mut refund.status);
        refund.updated = now;
        Ok(refund.clone())
    }

    fn pending_refund(&mut self, id: &str) -> Result<&mut Refund, Unable> {
        let refund = self.refunds.get_mut(id).ok_or(Unable::Unknown)?;
        if refund.is_pending() {
            Ok(refund)
        } else {
            Err(Unable::WrongStatus)
        }
    }
}

fn take(invoice: &mut Invoice, payment: &Payment) -> Result<(), Unable> {
    if invoice.payments.len() >= PAYMENTS_MAX {
        return Err(Unable::TooOften);
    }
    invoice.updated = payment.at;
    invoice.payments.push(payment.clone());
    Ok(())
}

fn told(invoice: &Invoice, payment: Option<&Payment>) -> Event {
    Event {
        about: invoice.id.clone(),
        what: format!("invoice {}", invoice.status),
        body: invoice.event(payment),
    }
}

/// A payment of now.
pub(super) struct Till {
    /// Of the payment.
    pub(super) id: String,
    /// Of the request behind it.
    pub(super) request_id: String,
    pub(super) now: Timestamp,
}

impl Till {
    pub(super) fn payment(self, amount: i64, channel: Channel) -> Payment {
        Payment {
            payment_id: format!("{}{}", channel.prefix(), self.id),
            payment_request_id: format!("pr-{}", self.request_id),
            amount,
            at: self.now,
            channel,
        }
    }
}

/// How long an invoice can be paid where its maker does not say.
pub(super) const USUAL_DURATION: Duration = Duration::from_secs(24 * 3600);
