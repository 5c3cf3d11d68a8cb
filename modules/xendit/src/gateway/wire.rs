//! Bodies as Xendit writes them. Nothing of them is relied on but ids, the status and the amounts:
//! statuses may be new ones, fields may be missing, amounts may come as decimals.

use halobestie_core::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Invoice, Refund, RefundStatus};

/// Where an invoice is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvoiceStatus {
    /// It waits for its money.
    Pending,
    /// It is paid; whether we have the money already makes no difference.
    Paid,
    /// It cannot be paid any more, by its own account: money may come all the same.
    Expired,
    /// A status that we do not know: changes nothing.
    Unknown(String),
}

impl InvoiceStatus {
    /// Reads Xendit's word.
    pub(crate) fn read(text: &str) -> Self {
        match text {
            "PENDING" => Self::Pending,
            "PAID" | "SETTLED" => Self::Paid,
            "EXPIRED" => Self::Expired,
            other => Self::Unknown(other.chars().take(64).collect()),
        }
    }
}

/// An amount as it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Amount {
    /// Nothing is said.
    #[default]
    Absent,
    /// Whole rupiah.
    Rupiah(i64),
    /// Something is said that is no number of whole rupiah: not believed.
    Unreadable,
}

impl Amount {
    /// Reads a JSON value: a number without a fraction, however it is written.
    pub(crate) fn read(value: &Value) -> Self {
        match value {
            Value::Null => Self::Absent,
            Value::Number(number) => whole(number).map_or(Self::Unreadable, Self::Rupiah),
            _ => Self::Unreadable,
        }
    }

    /// The rupiah, if that is what it is.
    pub(crate) const fn rupiah(self) -> Option<i64> {
        match self {
            Self::Rupiah(amount) => Some(amount),
            Self::Absent | Self::Unreadable => None,
        }
    }
}

/// Beyond this a float does not hold every whole number.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

fn whole(number: &serde_json::Number) -> Option<i64> {
    if let Some(whole) = number.as_i64() {
        return Some(whole);
    }
    let float = number.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole")]
    let whole = float as i64;
    (float.fract() == 0.0 && float.abs() < EXACT_MAX).then_some(whole)
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        Ok(Self::read(&Value::deserialize(reader)?))
    }
}

/// A member that is text; anything else is as if it were not there.
pub(crate) fn text<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(reader)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// An instant; anything else is as if it were not there.
pub(crate) fn instant<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(text(reader)?.and_then(|text| Timestamp::parse(&text)))
}

/// `POST /v2/invoices`.
#[derive(Serialize)]
pub(super) struct CreateInvoice<'a> {
    pub(super) external_id: String,
    pub(super) amount: i64,
    pub(super) currency: &'static str,
    pub(super) description: &'a str,
    pub(super) invoice_duration: u64,
    pub(super) success_redirect_url: &'a str,
    pub(super) failure_redirect_url: &'a str,
}

/// An invoice in an answer.
#[derive(Deserialize)]
pub(super) struct InvoiceBody {
    id: String,
    external_id: String,
    status: String,
    #[serde(default)]
    amount: Amount,
    #[serde(default)]
    paid_amount: Amount,
    #[serde(default, deserialize_with = "instant")]
    paid_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "text")]
    payment_method: Option<String>,
    #[serde(default, deserialize_with = "text")]
    invoice_url: Option<String>,
}

impl From<InvoiceBody> for Invoice {
    fn from(body: InvoiceBody) -> Self {
        Self {
            id: body.id,
            external_id: body.external_id,
            status: InvoiceStatus::read(&body.status),
            amount: body.amount,
            paid_amount: body.paid_amount,
            paid_at: body.paid_at,
            method: body.payment_method,
            url: body.invoice_url,
        }
    }
}

/// `POST /refunds`.
#[derive(Serialize)]
pub(super) struct CreateRefund<'a> {
    pub(super) invoice_id: &'a str,
    pub(super) amount: i64,
    pub(super) currency: &'static str,
    pub(super) reason: &'a str,
    pub(super) reference_id: String,
}

/// A refund in an answer.
#[derive(Deserialize)]
pub(super) struct RefundBody {
    id: String,
    status: String,
    #[serde(default, deserialize_with = "text")]
    failure_code: Option<String>,
}

impl RefundStatus {
    /// Reads Xendit's word.
    pub(crate) fn read(text: &str) -> Self {
        match text {
            "PENDING" => Self::Pending,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" | "CANCELLED" => Self::Failed,
            other => Self::Unknown(other.chars().take(64).collect()),
        }
    }
}

impl From<RefundBody> for Refund {
    fn from(body: RefundBody) -> Self {
        Self {
            id: body.id,
            status: RefundStatus::read(&body.status),
            failure_code: body.failure_code,
        }
    }
}

/// What an error says. Each member may be missing or of another type.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    #[serde(deserialize_with = "text")]
    pub(super) error_code: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) message: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_amount_is_whole_however_it_is_written() {
        let read = |text: &str| Amount::read(&serde_json::from_str(text).unwrap());
        for whole in ["25000", "25000.0", "25000.00", "2.5e4"] {
            assert_eq!(read(whole), Amount::Rupiah(25_000), "{whole}");
        }
        for wrong in ["25000.5", "\"25000\"", "1e300", "true", "[]", "{}"] {
            assert_eq!(read(wrong), Amount::Unreadable, "{wrong}");
        }
        assert_eq!(read("null"), Amount::Absent);
    }

    #[test]
    fn an_invoice_needs_little_and_takes_much() {
        let body = json!({"id": "1", "external_id": "x", "status": "HALF_PAID", "amount": 10000.0,
            "paid_at": 7, "invoice_url": null, "available_banks": "surprise", "new": {"a": 1}});
        let invoice: Invoice = serde_json::from_value::<InvoiceBody>(body).unwrap().into();
        assert_eq!(invoice.status, InvoiceStatus::Unknown("HALF_PAID".into()));
        assert_eq!(invoice.amount, Amount::Rupiah(10_000));
        assert_eq!(
            (invoice.paid_amount, invoice.paid_at),
            (Amount::Absent, None)
        );
        assert_eq!((invoice.url, invoice.external_id.as_str()), (None, "x"));
    }

    #[test]
    fn settled_is_paid() {
        assert_eq!(InvoiceStatus::read("SETTLED"), InvoiceStatus::Paid);
    }

    #[test]
    fn an_error_may_say_nothing() {
        let said: ErrorBody = serde_json::from_str(r#"{"error_code": 7}"#).unwrap();
        assert_eq!((said.error_code, said.message), (None, None));
    }
}
