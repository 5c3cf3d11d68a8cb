//! An invoice: what was asked, what became of it, and how both are told.

use halobestie_core::timestamp::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::channel::Channel;
use crate::ring::Kept;

/// The account's id and name, in every body.
pub(super) const USER_ID: &str = "5a4db0c5a4db0c5a4db0c500";
pub(super) const MERCHANT: &str = "Halobestie (sandbox)";

/// An invoice.
#[derive(Clone, Debug, Serialize)]
pub struct Invoice {
    /// Xendit's id: 24 hex digits.
    pub id: String,
    /// The caller's id. Several invoices may carry the same.
    pub external_id: String,
    /// Whole rupiah; a fraction that was asked for is cut off.
    pub amount: i64,
    /// `PENDING`, `PAID`, `SETTLED`, `EXPIRED`, or what a test has set.
    pub status: String,
    /// The page to pay on.
    pub invoice_url: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// When it expires, or did.
    pub expires: Timestamp,
    /// What was paid, in order.
    pub payments: Vec<Payment>,
    /// The request that made it.
    pub request: Value,
}

/// Money that came in for an invoice.
#[derive(Clone, Debug, Serialize)]
pub struct Payment {
    /// Unique among payments.
    pub payment_id: String,
    /// By which a refund may name it.
    pub payment_request_id: String,
    /// Whole rupiah.
    pub amount: i64,
    /// When.
    pub at: Timestamp,
    /// How.
    pub channel: Channel,
}

impl Kept for Invoice {
    fn id(&self) -> &str {
        &self.id
    }
}

/// What bodies repeat of the request, where it was there.
const REPEATED: &[&str] = &[
    "payer_email",
    "description",
    "success_redirect_url",
    "failure_redirect_url",
    "items",
    "fees",
];

impl Invoice {
    /// Whether it waits for its money.
    pub fn is_pending(&self) -> bool {
        self.status == "PENDING"
    }

    /// Whether it counts as paid.
    pub fn is_paid(&self) -> bool {
        matches!(self.status.as_str(), "PAID" | "SETTLED")
    }

    /// All that was paid, in whole rupiah.
    pub fn paid_amount(&self) -> i64 {
        self.payments.iter().map(|payment| payment.amount).sum()
    }

    /// As the API answers it.
    pub(super) fn body(&self) -> Value {
        let mut body = self.common();
        body.extend(object(json!({
            "merchant_profile_picture_url": "https://example.invalid/sandbox.png",
            "expiry_date": self.expires,
            "invoice_url": self.invoice_url,
            "available_banks": [self.bank()],
            "available_retail_outlets": [{ "retail_outlet_name": "ALFAMART" }],
            "available_ewallets": [{ "ewallet_type": "DANA" }, { "ewallet_type": "OVO" }],
            "available_qr_codes": [{ "qr_code_type": "QRIS" }],
            "available_direct_debits": [],
            "available_paylaters": [],
            "should_exclude_credit_card": false,
            "should_send_email": self.request["should_send_email"] == true,
        })));
        for field in ["customer", "metadata"] {
            self.repeat(field, &mut body);
        }
        if let (true, Some(payment)) = (self.is_paid(), self.payments.last()) {
            body.insert("payment_method".to_owned(), payment.channel.method().into());
        }
        Value::Object(body)
    }

    fn bank(&self) -> Value {
        json!({
            "bank_code": "BCA",
            "collection_type": "POOL",
            "transfer_amount": self.amount,
            "bank_branch": "Virtual Account",
            "account_holder_name": MERCHANT.to_uppercase(),
            "identity_amount": 0,
        })
    }

    /// As a webhook tells its state: flat, without a name of the event. `payment`: the one it is about.
    pub(super) fn event(&self, payment: Option<&Payment>) -> Value {
        let mut body = self.common();
        body.insert("is_high".to_owned(), false.into());
        if let Some(payment) = payment {
            body.extend(object(json!({
                "paid_amount": payment.amount,
                "adjusted_received_amount": payment.amount,
                "fees_paid_amount": 0,
                "initial_amount": self.amount,
                "paid_at": payment.at,
                "payment_id": payment.payment_id,
                "payment_method": payment.channel.method(),
                "payment_channel": payment.channel.code(),
            })));
            body.extend(payment.channel.details(&payment.payment_id));
        }
        Value::Object(body)
    }

    fn common(&self) -> Map<String, Value> {
        let mut common = object(json!({
            "id": self.id,
            "external_id": self.external_id,
            "user_id": USER_ID,
            "status": self.status,
            "merchant_name": MERCHANT,
            "amount": self.amount,
            "currency": "IDR",
            "created": self.created,
            "updated": self.updated,
        }));
        for field in REPEATED {
            self.repeat(field, &mut common);
        }
        common
    }

    fn repeat(&self, field: &str, body: &mut Map<String, Value>) {
        if let Some(value) = self.request.get(field) {
            body.insert(field.to_owned(), value.clone());
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
