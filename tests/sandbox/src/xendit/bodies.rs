//! The bodies of Xendit: what it takes, and its errors.

use http::StatusCode;
use serde_json::{Value, json};

use crate::upstream::{Answer, Field, Kind, Violation};

static TEXT: Kind = Kind::Text;

static CUSTOMER: &[Field] = &[
    Field::optional("id", Kind::OrNull(&TEXT)),
    Field::optional("given_names", Kind::OrNull(&TEXT)),
    Field::optional("surname", Kind::OrNull(&TEXT)),
    Field::optional("email", Kind::OrNull(&TEXT)),
    Field::optional("mobile_number", Kind::OrNull(&TEXT)),
    Field::optional("phone_number", Kind::OrNull(&TEXT)),
    Field::optional("customer_id", Kind::OrNull(&TEXT)),
    Field::optional("addresses", Kind::OrNull(&Kind::List(&Kind::Object))),
];

static NOTICES: &[Field] = &[
    Field::optional("invoice_created", Kind::List(&TEXT)),
    Field::optional("invoice_reminder", Kind::List(&TEXT)),
    Field::optional("invoice_paid", Kind::List(&TEXT)),
];

static ITEM: Kind = Kind::Message(&[
    Field::required("name", Kind::Text),
    Field::required("price", Kind::Number),
    Field::required("quantity", Kind::Number),
    Field::optional("reference_id", Kind::Text),
    Field::optional("url", Kind::Text),
    Field::optional("category", Kind::Text),
]);

static FEE: Kind = Kind::Message(&[
    Field::required("type", Kind::Text),
    Field::required("value", Kind::Number),
]);

pub(super) static CREATE_INVOICE: &[Field] = &[
    Field::required("external_id", Kind::Text),
    Field::required("amount", Kind::Number),
    Field::optional("payer_email", Kind::Text),
    Field::optional("description", Kind::Text),
    Field::optional("invoice_duration", Kind::Integer),
    Field::optional("currency", Kind::Text),
    Field::optional("success_redirect_url", Kind::Text),
    Field::optional("failure_redirect_url", Kind::Text),
    Field::optional("payment_methods", Kind::List(&TEXT)),
    Field::optional("customer", Kind::Message(CUSTOMER)),
    Field::optional("customer_notification_preference", Kind::Message(NOTICES)),
    Field::optional("items", Kind::List(&ITEM)),
    Field::optional("fees", Kind::List(&FEE)),
    Field::optional("should_send_email", Kind::Flag),
    Field::optional("should_authenticate_credit_card", Kind::Flag),
    Field::optional("callback_virtual_account_id", Kind::Text),
    Field::optional("mid_label", Kind::Text),
    Field::optional("locale", Kind::Text),
    Field::optional("channel_properties", Kind::Object),
    Field::optional("reminder_time", Kind::Number),
    Field::optional("reminder_time_unit", Kind::Text),
    Field::optional("metadata", Kind::Texts),
];

pub(super) static CREATE_REFUND: &[Field] = &[
    Field::optional("payment_request_id", Kind::Text),
    Field::optional("invoice_id", Kind::Text),
    Field::required("reason", Kind::Text),
    Field::optional("amount", Kind::Number),
    Field::optional("currency", Kind::Text),
    Field::optional("reference_id", Kind::Text),
    Field::optional("metadata", Kind::Texts),
];

/// The error codes that knobs take, each with its HTTP status and a message.
static ERRORS: &[(&str, u16, &str)] = &[
    (
        "API_VALIDATION_ERROR",
        400,
        "Inputs are failing validation. The errors field contains details about which fields are violating validation.",
    ),
    (
        "MINIMAL_TRANSFER_AMOUNT_ERROR",
        400,
        "Could not create invoice because amount is below 10000",
    ),
    (
        "REFUND_AMOUNT_EXCEEDED",
        400,
        "The refund amount exceeds what is left of the payment.",
    ),
    (
        "REFUND_IN_PROGRESS",
        400,
        "Another refund of this payment is in progress.",
    ),
    (
        "INELIGIBLE_TRANSACTION_STATUS",
        400,
        "The transaction's status does not allow this.",
    ),
    (
        "INSUFFICIENT_BALANCE",
        400,
        "The balance is not sufficient for this refund.",
    ),
    (
        "PARTIAL_REFUND_COUNTS_EXCEEDED",
        400,
        "The payment was partially refunded too often.",
    ),
    (
        "TEMPORARILY_UNAVAILABLE",
        400,
        "Refunds are temporarily unavailable.",
    ),
    ("INVALID_VALUE_ERROR", 400, "A value is invalid."),
    (
        "INVALID_API_KEY",
        401,
        "API key is not authorized for this API service",
    ),
    (
        "REQUEST_FORBIDDEN_ERROR",
        403,
        "API key is forbidden to perform this request",
    ),
    (
        "UNAUTHORIZED_SENDER_IP",
        403,
        "The sender's address is not on the allowlist.",
    ),
    (
        "REFUND_NOT_SUPPORTED",
        403,
        "The channel does not support refunds.",
    ),
    (
        "PARTIAL_REFUND_NOT_SUPPORTED",
        403,
        "The channel does not support partial refunds.",
    ),
    (
        "INVALID_MERCHANT_SETTINGS",
        403,
        "The merchant's settings do not allow this.",
    ),
    ("INVOICE_NOT_FOUND_ERROR", 404, "Could not find invoice"),
    ("DATA_NOT_FOUND", 404, "Data not found"),
    (
        "DUPLICATE_ERROR",
        409,
        "The idempotency key was used with another request.",
    ),
    (
        "RATE_LIMIT_EXCEEDED",
        429,
        "You are temporarily restricted from sending request due to reaching the rate limit",
    ),
    (
        "SERVER_ERROR",
        500,
        "Error connecting to the server, please try again",
    ),
    (
        "CHANNEL_UNAVAILABLE",
        503,
        "The channel is unavailable, please try again later",
    ),
];

/// The error of a code, with its usual words.
pub(super) fn error(code: &str) -> Answer {
    let (_, _, message) = published(code);
    error_saying(code, message)
}

/// The error of a code, with words of its own.
pub(super) fn error_saying(code: &str, message: &str) -> Answer {
    let body = json!({ "error_code": code, "message": message });
    Answer::json(status(code), &body)
}

fn status(code: &str) -> StatusCode {
    let (_, status, _) = published(code);
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn published(code: &str) -> (&'static str, u16, &'static str) {
    let known = ERRORS.iter().find(|(it, ..)| *it == code).copied();
    known.unwrap_or(("SERVER_ERROR", 500, "Error connecting to the server"))
}

/// A refusal of a body or query. Details come as texts and as objects, as the vendor's do: about one
/// field as an object, about the whole as a text.
pub(super) fn invalid(details: &Value) -> Answer {
    let code = "API_VALIDATION_ERROR";
    let (_, _, message) = published(code);
    let body = json!({ "error_code": code, "message": message, "errors": details });
    Answer::json(StatusCode::BAD_REQUEST, &body)
}

/// The refusal of one field.
pub(super) fn invalid_field(path: &str, message: &str) -> Answer {
    invalid(&json!([{ "path": path, "message": format!("\"{path}\" {message}") }]))
}

/// The refusal of a body of another shape.
pub(super) fn misshapen(violations: &[Violation]) -> Answer {
    let detail = |it: &Violation| match it.path.as_str() {
        "" => json!("the body must be an object"),
        path => json!({ "path": path, "message": it.message() }),
    };
    invalid(&violations.iter().map(detail).collect())
}

#[cfg(test)]
mod tests {
    use super::ERRORS;

    #[test]
    fn the_codes_that_knobs_take_are_the_codes_that_have_words() {
        let worded: Vec<_> = ERRORS.iter().map(|(code, ..)| *code).collect();
        assert_eq!(worded, crate::xendit::CODES);
    }
}
