//! A refund: money on its way back.

use halobestie_core::timestamp::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::channel::Channel;
use super::invoice::USER_ID;
use crate::ring::Kept;

/// A refund.
#[derive(Clone, Debug, Serialize)]
pub struct Refund {
    /// `rfd-…`
    pub id: String,
    /// The invoice whose money it is.
    pub invoice_id: String,
    /// The payment whose money it is, where one was named.
    pub payment_request_id: Option<String>,
    /// The payment's own id.
    pub payment_id: String,
    /// Whole rupiah.
    pub amount: i64,
    /// Why, in one of Xendit's words.
    pub reason: String,
    /// `PENDING`, `SUCCEEDED`, `FAILED`, `CANCELLED`.
    pub status: String,
    /// Why it failed.
    pub failure_code: Option<String>,
    /// The way the money goes.
    pub channel: Channel,
    /// The caller's reference.
    pub reference_id: Option<String>,
    /// The caller's data.
    pub metadata: Value,
    /// The key that made it unique, where one was sent.
    pub idempotency_key: Option<String>,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
}

impl Kept for Refund {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Refund {
    /// Whether its end is open.
    pub fn is_pending(&self) -> bool {
        self.status == "PENDING"
    }

    /// Whether its money is gone, or may be.
    pub(super) fn holds_money(&self) -> bool {
        matches!(self.status.as_str(), "PENDING" | "SUCCEEDED")
    }

    /// As the API answers it.
    pub(super) fn body(&self) -> Value {
        json!({
            "id": self.id,
            "payment_id": self.payment_id,
            "payment_request_id": self.payment_request_id,
            "invoice_id": self.invoice_id,
            "amount": self.amount,
            "payment_method_type": self.channel.method(),
            "channel_code": self.channel.code(),
            "currency": "IDR",
            "status": self.status,
            "reason": self.reason,
            "reference_id": self.reference_id,
            "failure_code": self.failure_code,
            "refund_fee_amount": null,
            "created": self.created,
            "updated": self.updated,
            "metadata": self.metadata,
        })
    }

    /// As a webhook tells its end: an envelope, and in some of the vendor's samples one within another.
    pub(super) fn event(&self, now: Timestamp, nested: bool) -> Value {
        let event = match self.status.as_str() {
            "SUCCEEDED" => "refund.succeeded",
            _ => "refund.failed",
        };
        let envelope = |data: Value| json!({ "event": event, "business_id": USER_ID, "created": now, "data": data });
        let body = envelope(self.body());
        if nested { envelope(body) } else { body }
    }
}
