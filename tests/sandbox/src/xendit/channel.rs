//! How a customer pays: one channel of each kind.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A way to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// An e-wallet; can be refunded.
    Dana,
    /// A QR code; can be refunded.
    Qris,
    /// A card; can be refunded.
    Card,
    /// A bank's virtual account; cannot be refunded.
    Bca,
    /// A counter in a shop; cannot be refunded.
    Alfamart,
}

impl Channel {
    /// All of them, the usual one first.
    pub const ALL: [Self; 5] = [
        Self::Dana,
        Self::Qris,
        Self::Card,
        Self::Bca,
        Self::Alfamart,
    ];

    /// The name in a form, as in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dana => "dana",
            Self::Qris => "qris",
            Self::Card => "card",
            Self::Bca => "bca",
            Self::Alfamart => "alfamart",
        }
    }

    /// The name for a person.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Dana => "DANA",
            Self::Qris => "QRIS",
            Self::Card => "Card",
            Self::Bca => "BCA virtual account",
            Self::Alfamart => "Alfamart",
        }
    }

    /// Whether money can go back the way it came.
    pub const fn can_refund(self) -> bool {
        matches!(self, Self::Dana | Self::Qris | Self::Card)
    }

    /// `payment_method` on the wire.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Dana => "EWALLET",
            Self::Qris => "QR_CODE",
            Self::Card => "CREDIT_CARD",
            Self::Bca => "BANK_TRANSFER",
            Self::Alfamart => "RETAIL_OUTLET",
        }
    }

    /// `payment_channel` on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Dana => "DANA",
            Self::Qris => "QRIS",
            Self::Card => "CREDIT_CARD",
            Self::Bca => "BCA",
            Self::Alfamart => "ALFAMART",
        }
    }

    /// The beginning of its payments' ids.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Dana => "ewc_",
            Self::Qris => "qrpy_",
            _ => "py-",
        }
    }

    /// The fields that an event of this channel alone has.
    pub(super) fn details(self, payment_id: &str) -> Map<String, Value> {
        let details = match self {
            Self::Dana => json!({ "ewallet_type": "DANA" }),
            Self::Qris => {
                json!({ "payment_details": { "receipt_id": payment_id, "source": "DANA" } })
            }
            Self::Card => json!({ "credit_card_charge_id": payment_id }),
            Self::Bca => json!({ "bank_code": "BCA", "payment_destination": "888801234567890" }),
            Self::Alfamart => {
                json!({ "retail_outlet_name": "ALFAMART", "payment_destination": "TEST123" })
            }
        };
        match details {
            Value::Object(details) => details,
            _ => Map::new(),
        }
    }
}
