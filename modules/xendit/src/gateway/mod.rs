//! What is asked of a payment provider: invoices that can be made, found, expired, and money that can
//! be given back. Small, so that another product of Xendit's can take this one's place.
//!
//! The invariant: an error says whether anything can have happened there.

mod budget;
mod client;
mod examination;
mod failure;
mod wire;

use async_trait::async_trait;
use halobestie_core::Timestamp;
use uuid::Uuid;

pub(crate) use client::Client;
pub(crate) use examination::examination;
pub(crate) use failure::GatewayError;
pub(crate) use wire::{Amount, InvoiceStatus, instant, text};

/// An invoice that is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewInvoice<'a> {
    /// Our payment's id: what it is found by.
    pub(crate) payment_id: Uuid,
    /// Whole rupiah.
    pub(crate) amount: i64,
    /// What the customer reads.
    pub(crate) description: &'a str,
    /// For how long it can be paid, in seconds, more than 0.
    pub(crate) duration_seconds: u64,
    /// Where a browser goes after paying.
    pub(crate) success_url: &'a str,
    /// Where it goes otherwise.
    pub(crate) failure_url: &'a str,
}

/// An invoice as the provider has it.
#[derive(Clone, Debug)]
pub(crate) struct Invoice {
    /// The provider's id.
    pub(crate) id: String,
    /// What its maker calls it: our payment's id, if it is ours.
    pub(crate) external_id: String,
    pub(crate) status: InvoiceStatus,
    /// What it asks for. None: not there, or nothing that is whole rupiah.
    pub(crate) amount: Amount,
    /// What was paid, where the provider says.
    pub(crate) paid_amount: Amount,
    pub(crate) paid_at: Option<Timestamp>,
    pub(crate) method: Option<String>,
    /// Where the customer pays.
    pub(crate) url: Option<String>,
}

impl Invoice {
    /// The payment that it is for, if it can be one of ours.
    pub(crate) fn payment_id(&self) -> Option<Uuid> {
        Uuid::parse_str(&self.external_id).ok()
    }
}

/// Money that is to be given back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRefund<'a> {
    /// Ours: the same refund asked for again is the same refund.
    pub(crate) refund_id: Uuid,
    /// Which invoice's.
    pub(crate) invoice_id: &'a str,
    /// Whole rupiah.
    pub(crate) amount: i64,
    /// One of the provider's: `DUPLICATE`, `REQUESTED_BY_CUSTOMER`, `CANCELLATION`, `OTHERS`.
    pub(crate) reason: &'a str,
}

/// Where a refund is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RefundStatus {
    /// On its way.
    Pending,
    /// Handed to the channel.
    Succeeded,
    /// Not given back: failed or cancelled.
    Failed,
    /// Something that we do not know: as if on its way.
    Unknown(String),
}

/// A refund as the provider has it.
#[derive(Clone, Debug)]
pub(crate) struct Refund {
    /// The provider's id.
    pub(crate) id: String,
    pub(crate) status: RefundStatus,
    /// Why it failed, in the provider's word.
    pub(crate) failure_code: Option<String>,
}

/// A payment provider. `request_id` goes along as `X-Request-Id`, so that both sides' logs meet.
#[async_trait]
pub(crate) trait Gateway: Send + Sync {
    /// Makes an invoice. Doing it twice makes two.
    async fn create(
        &self,
        request_id: Uuid,
        invoice: &NewInvoice<'_>,
    ) -> Result<Invoice, GatewayError>;

    /// An invoice by the provider's id.
    async fn get(&self, request_id: Uuid, id: &str) -> Result<Option<Invoice>, GatewayError>;

    /// All invoices of a payment.
    async fn find(&self, request_id: Uuid, payment_id: Uuid) -> Result<Vec<Invoice>, GatewayError>;

    /// Expires an invoice. Refused where it is not pending any more: look again.
    async fn expire(&self, request_id: Uuid, id: &str) -> Result<Invoice, GatewayError>;

    /// Invoices that were paid since then, a page, newest first, after the last one of the page before.
    async fn paid_since(
        &self,
        request_id: Uuid,
        since: Timestamp,
        after: Option<&str>,
    ) -> Result<Vec<Invoice>, GatewayError>;

    /// Gives money back. Asking again is safe: the refund's id makes it the same one.
    async fn refund(
        &self,
        request_id: Uuid,
        refund: &NewRefund<'_>,
    ) -> Result<Refund, GatewayError>;

    /// A refund by the provider's id.
    async fn get_refund(&self, request_id: Uuid, id: &str) -> Result<Option<Refund>, GatewayError>;
}

/// How many invoices [`Gateway::paid_since`] gives at most.
pub(crate) const PAGE: usize = 100;
