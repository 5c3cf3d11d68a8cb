//! The bodies of Fazpass: what it takes, what it answers.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Channel, Message};
use crate::upstream::{Answer, Field, Kind};

static PARAM: Kind = Kind::Message(&[
    Field::required("tag", Kind::Text),
    Field::required("value", Kind::Text),
]);

/// A phone or an address: which of them, the API decides.
pub(super) static REQUEST: &[Field] = &[
    Field::optional("phone", Kind::Text),
    Field::optional("email", Kind::Text),
    Field::required("gateway_key", Kind::Text),
    Field::optional("params", Kind::List(&PARAM)),
];

pub(super) static GENERATE: &[Field] = &[
    Field::required("phone", Kind::Text),
    Field::required("gateway_key", Kind::Text),
];

pub(super) static SEND: &[Field] = &[
    Field::required("phone", Kind::Text),
    Field::required("otp", Kind::Text),
    Field::required("gateway_key", Kind::Text),
    Field::optional("params", Kind::List(&PARAM)),
];

pub(super) static VERIFY: &[Field] = &[
    Field::required("otp_id", Kind::Text),
    Field::required("otp", Kind::Text),
];

/// A refusal, with the reason for a person.
pub(super) fn refusal(status: StatusCode, message: &str) -> Answer {
    let body = json!({ "status": false, "message": message, "code": status.as_str() });
    Answer::json(status, &body)
}

/// A success.
pub(super) fn success(message: &str, data: &Value) -> Answer {
    let body = json!({ "status": true, "message": message, "code": "200", "data": data });
    Answer::json(StatusCode::OK, &body)
}

/// What is told of a code. Lengths come as numbers in some answers and as text in others, as in the
/// vendor's samples and its SDK.
pub(super) fn receipt(message: &Message) -> Value {
    let length = message.code.chars().count();
    json!({
        "id": message.otp_id,
        "otp": message.code,
        "otp_length": if message.operation == "send" { json!(length.to_string()) } else { json!(length) },
        "prefix": "",
        "channel": message.channel.as_str(),
        "provider": provider(message.channel),
        "purpose": "",
    })
}

const fn provider(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "Sandbox SMS",
        Channel::WaLongNumber => "Sandbox WhatsApp",
        Channel::Email => "Sandbox Mail",
    }
}
