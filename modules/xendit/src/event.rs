//! What a webhook says, read from its body.
//!
//! Pure. An invoice's event is a flat object without a name; the others are an envelope with one, which
//! some of Xendit's samples put into another envelope. What is not needed is not looked at, and nothing
//! read here is believed beyond its form: amounts that are no whole rupiah are told apart.

use halobestie_core::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::gateway::{Amount, InvoiceStatus, RefundStatus, instant, text};

/// An id or a status is no longer than this, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// What a webhook says.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Of an invoice.
    Invoice(InvoiceEvent),
    /// Of a refund.
    Refund(RefundEvent),
    /// Of something else: kept, and of no effect.
    Other {
        /// The envelope's name of it.
        name: String,
        /// What tells it from others.
        key: String,
    },
}

/// News of an invoice.
#[derive(Clone, Debug)]
pub(crate) struct InvoiceEvent {
    /// Xendit's id.
    pub(crate) invoice_id: String,
    /// Ours, if it is one of ours.
    pub(crate) external_id: String,
    pub(crate) status: InvoiceStatus,
    /// What the invoice asks for.
    pub(crate) amount: Amount,
    /// What was paid.
    pub(crate) paid_amount: Amount,
    /// What of that reaches us: the rest is Xendit's fee.
    pub(crate) received_amount: Amount,
    pub(crate) paid_at: Option<Timestamp>,
    /// Xendit's id of the transfer: two of them are two payments.
    pub(crate) transfer_id: Option<String>,
    pub(crate) method: Option<String>,
    /// `IDR`, or nothing.
    pub(crate) currency: Option<String>,
    word: String,
}

/// News of a refund.
#[derive(Clone, Debug)]
pub(crate) struct RefundEvent {
    /// Xendit's id.
    pub(crate) refund_id: String,
    /// Ours: the id of the refund's row, if it is one of ours.
    pub(crate) reference_id: Option<String>,
    /// Which invoice's it is, where that is said.
    pub(crate) invoice_id: Option<String>,
    pub(crate) status: RefundStatus,
    /// What goes back.
    pub(crate) amount: Amount,
    /// Why it failed.
    pub(crate) failure_code: Option<String>,
    word: String,
}

/// Why a body is no event.
pub(crate) type NotAnEvent = &'static str;

impl Event {
    /// Reads a body.
    ///
    /// # Errors
    /// Why it is none, without anything of what it holds.
    pub(crate) fn read(body: &str) -> Result<Self, NotAnEvent> {
        if body.trim().is_empty() {
            return Err("it is empty");
        }
        let body: Value = serde_json::from_str(body).map_err(|_| "it is not JSON")?;
        if !body.is_object() {
            return Err("it is no JSON object");
        }
        match body.get("event") {
            None => invoice(&body).map(Self::Invoice),
            Some(Value::String(name)) => enveloped(checked(name)?, &body),
            Some(_) => Err("its event has no name"),
        }
    }

    /// The same for the same event, however often and by whichever delivery it comes.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Invoice(it) => {
                let transfer = it.transfer_id.as_deref().unwrap_or_default();
                format!("invoice/{}/{}/{transfer}", it.invoice_id, it.word)
            }
            Self::Refund(it) => format!("refund/{}/{}", it.refund_id, it.word),
            Self::Other { name, key } => format!("other/{name}/{key}"),
        }
    }
}

#[derive(Deserialize)]
struct InvoiceBody {
    id: String,
    external_id: String,
    status: String,
    #[serde(default)]
    amount: Amount,
    #[serde(default)]
    paid_amount: Amount,
    #[serde(default)]
    adjusted_received_amount: Amount,
    #[serde(default, deserialize_with = "instant")]
    paid_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "text")]
    payment_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    payment_method: Option<String>,
    #[serde(default, deserialize_with = "text")]
    currency: Option<String>,
}

fn invoice(body: &Value) -> Result<InvoiceEvent, NotAnEvent> {
    let missing = "it has no id, external_id or status";
    let body = InvoiceBody::deserialize(body).map_err(|_| missing)?;
    Ok(InvoiceEvent {
        invoice_id: checked(&body.id)?,
        external_id: checked(&body.external_id)?,
        status: InvoiceStatus::read(&body.status),
        amount: body.amount,
        paid_amount: body.paid_amount,
        received_amount: body.adjusted_received_amount,
        paid_at: body.paid_at,
        transfer_id: body.payment_id.as_deref().map(checked).transpose()?,
        method: body.payment_method.as_deref().map(checked).transpose()?,
        currency: body.currency,
        word: checked(&body.status)?,
    })
}

#[derive(Deserialize)]
struct RefundBody {
    id: String,
    status: String,
    #[serde(default, deserialize_with = "text")]
    reference_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    invoice_id: Option<String>,
    #[serde(default)]
    amount: Amount,
    #[serde(default, deserialize_with = "text")]
    failure_code: Option<String>,
}

fn enveloped(name: String, body: &Value) -> Result<Event, NotAnEvent> {
    let Some(data) = body.get("data").filter(|it| it.is_object()) else {
        return Err("its event has no data");
    };
    // An envelope in an envelope.
    let data = data.get("data").filter(|it| it.is_object()).unwrap_or(data);
    if !name.starts_with("refund.") {
        let id = [
            "id",
            "payment_id",
            "payment_session_id",
            "payment_request_id",
        ]
        .iter()
        .find_map(|member| data.get(member)?.as_str());
        let key = checked(id.ok_or("its data has no id")?)?;
        return Ok(Event::Other { name, key });
    }
    let body = RefundBody::deserialize(data).map_err(|_| "its refund has no id or status")?;
    Ok(Event::Refund(RefundEvent {
        refund_id: checked(&body.id)?,
        reference_id: body.reference_id,
        invoice_id: body.invoice_id,
        status: RefundStatus::read(&body.status),
        amount: body.amount,
        failure_code: body.failure_code.as_deref().map(checked).transpose()?,
        word: checked(&body.status)?,
    }))
}

/// A name that can be kept: Postgres takes no NUL in a text.
fn checked(name: &str) -> Result<String, NotAnEvent> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains('\0') {
        return Err("an id in it is empty, too long, or no text");
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<Event, NotAnEvent> {
        Event::read(&body.to_string())
    }

    #[test]
    fn the_invoice_is_flat_and_needs_three_members() {
        let paid = json!({"id": "i", "external_id": "x", "status": "PAID", "amount": 25000,
            "paid_amount": 25000.0, "payment_id": "ewc_1", "paid_at": "2026-01-15T08:00:00.000Z",
            "is_high": false, "items": "whatever"});
        let Ok(Event::Invoice(event)) = read(&paid) else {
            panic!("is an event");
        };
        assert_eq!(event.status, InvoiceStatus::Paid);
        assert_eq!(event.paid_amount, Amount::Rupiah(25_000));
        assert!(event.paid_at.is_some());
        let least = json!({"id": "i", "external_id": "x", "status": "NEW_WORD"});
        assert_eq!(read(&least).unwrap().key(), "invoice/i/NEW_WORD/");
        for member in ["id", "external_id", "status"] {
            let mut without = least.clone();
            without.as_object_mut().unwrap().remove(member);
            assert!(read(&without).is_err(), "without {member}");
            let mut wrong = least.clone();
            wrong[member] = json!(7);
            assert!(read(&wrong).is_err(), "wrong {member}");
            wrong[member] = json!("a\0b");
            assert!(read(&wrong).is_err(), "NUL in {member}");
        }
    }

    #[test]
    fn a_refund_comes_in_one_envelope_or_two() {
        let data = json!({"id": "rfd-1", "status": "SUCCEEDED", "reference_id": "r"});
        let one = json!({"event": "refund.succeeded", "data": data});
        let two = json!({"event": "refund.succeeded", "data": one});
        for body in [one, two] {
            let event = read(&body).unwrap();
            assert_eq!(event.key(), "refund/rfd-1/SUCCEEDED");
        }
    }

    #[test]
    fn other_events_are_known_by_name_and_id_alone() {
        let body = json!({"event": "payment.capture", "data": {"payment_id": "py-1"}});
        assert_eq!(read(&body).unwrap().key(), "other/payment.capture/py-1");
    }

    #[test]
    fn what_is_no_event_is_told_apart() {
        for wrong in [
            "",
            " ",
            "x",
            "{",
            "[]",
            "7",
            "null",
            "{}",
            r#"{"event": 7}"#,
            r#"{"event": "refund.failed"}"#,
            r#"{"event": "x", "data": {}}"#,
        ] {
            assert!(Event::read(wrong).is_err(), "{wrong}");
        }
    }
}
