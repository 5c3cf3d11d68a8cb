//! News of an invoice, from an event or from the invoice itself. Pure.

use halobestie_core::Timestamp;
use uuid::Uuid;

use crate::event::InvoiceEvent;
use crate::gateway::{Amount, Invoice, InvoiceStatus};

/// Whether it was told or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A verified event: what it leaves open, the invoice itself is asked about.
    Event,
    /// The invoice itself.
    Read,
}

/// News of an invoice.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) source: Source,
    pub(crate) payment_id: Uuid,
    pub(crate) invoice_id: String,
    pub(crate) status: InvoiceStatus,
    /// What the invoice asks for.
    pub(super) amount: Amount,
    pub(super) paid_amount: Amount,
    received_amount: Amount,
    pub(super) paid_at: Option<Timestamp>,
    pub(super) transfer_id: Option<String>,
    pub(super) method: Option<String>,
    pub(super) is_rupiah: bool,
}

impl News {
    /// What an event tells; none where it is of nobody's payment here.
    pub(crate) fn of_event(event: InvoiceEvent) -> Option<Self> {
        Some(Self {
            source: Source::Event,
            payment_id: Uuid::parse_str(&event.external_id).ok()?,
            invoice_id: event.invoice_id,
            status: event.status,
            amount: event.amount,
            paid_amount: event.paid_amount,
            received_amount: event.received_amount,
            paid_at: event.paid_at,
            transfer_id: event.transfer_id,
            method: event.method,
            is_rupiah: event.currency.is_none_or(|it| it == "IDR"),
        })
    }

    /// What the invoice says itself.
    pub(crate) fn of_invoice(invoice: &Invoice) -> Option<Self> {
        Some(Self {
            source: Source::Read,
            payment_id: invoice.payment_id()?,
            invoice_id: invoice.id.clone(),
            status: invoice.status.clone(),
            amount: invoice.amount,
            paid_amount: invoice.paid_amount,
            received_amount: Amount::Absent,
            paid_at: invoice.paid_at,
            transfer_id: None,
            method: invoice.method.clone(),
            is_rupiah: true,
        })
    }

    /// What came in, as far as that can be told. An invoice that is paid was paid its amount, unless
    /// it says otherwise.
    pub(super) fn paid(&self) -> Amount {
        match self.paid_amount {
            Amount::Absent => self.amount,
            said => said,
        }
    }

    /// What Xendit has kept of it, in whole rupiah, where that is told and can be true.
    pub(super) fn fee(&self) -> Option<i64> {
        let paid = self.paid().rupiah()?;
        let fee = paid.checked_sub(self.received_amount.rupiah()?)?;
        (fee > 0 && fee <= paid).then_some(fee)
    }

    pub(super) fn tells_of_money(&self) -> bool {
        !matches!(self.paid_amount, Amount::Absent | Amount::Rupiah(0))
    }

    pub(super) fn is_readable(&self) -> bool {
        self.paid().rupiah().is_some_and(|it| it > 0) && self.amount != Amount::Unreadable
    }
}
