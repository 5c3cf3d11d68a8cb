//! Fazpass: carries one-time codes to phones.
//!
//! Base `<url>/v1/otp`, bearer authorization by the merchant key, a gateway key in each request that
//! fixes the channel. Success is 200 with `status: true`; a refusal is 4xx, or 200 with
//! `status: false`: both occur here. What the vendor does not publish (codes, limits) is kept plain:
//! `code` is the HTTP status as text, and there is no limit but a planned fault.

mod api;
mod bodies;

use std::sync::Arc;

use halobestie_core::timestamp::Timestamp;
use serde::Serialize;

pub(crate) use api::Api;

use crate::knobs::Knobs;
use crate::ring::Kept;
use crate::upstream::{Front, RecordedCall};

/// The error codes that [`Knobs::fail_next`] takes: HTTP statuses, and `refused` for an answer 200 with
/// `status: false`.
pub const CODES: &[&str] = &[
    "400", "401", "403", "404", "422", "429", "500", "502", "503", "504", "refused",
];

/// The operations that knobs and recorded calls name; what is none of them is `unknown`.
pub const OPERATIONS: &[&str] = &["request", "generate", "send", "verify"];

/// A gateway: a way for codes to travel, made in the vendor's dashboard.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// The key that requests name it by, a UUID.
    pub key: String,
    /// How its messages travel.
    pub channel: Channel,
}

/// How a gateway's messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Channel {
    /// A text message.
    Sms,
    /// WhatsApp, from a long number.
    WaLongNumber,
    /// An e-mail.
    Email,
}

impl Channel {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "SMS",
            Self::WaLongNumber => "WA_LONG_NUMBER",
            Self::Email => "EMAIL",
        }
    }
}

/// What opens Fazpass to a caller.
#[derive(Clone, Debug)]
pub struct Account {
    /// The bearer of every request.
    pub merchant_key: String,
    /// The gateways that it may use; the first is the usual one.
    pub gateways: Vec<Gateway>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            // Of a JWT's shape, as theirs are; signed by nobody.
            merchant_key: "eyJhbGciOiJIUzI1NiJ9.eyJpZGVudGlmaWVyIjoic2FuZGJveCJ9.c2FuZGJveA"
                .to_owned(),
            gateways: vec![
                Gateway {
                    key: "5a4db0c5-0000-4000-8000-000000000001".to_owned(),
                    channel: Channel::Sms,
                },
                Gateway {
                    key: "5a4db0c5-0000-4000-8000-000000000002".to_owned(),
                    channel: Channel::WaLongNumber,
                },
                Gateway {
                    key: "5a4db0c5-0000-4000-8000-000000000003".to_owned(),
                    channel: Channel::Email,
                },
            ],
        }
    }
}

/// A message that a phone or mailbox got.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// The id that the answer carried.
    pub otp_id: String,
    /// When.
    pub at: Timestamp,
    /// The phone (`62812…`) or address.
    pub to: String,
    /// The code.
    pub code: String,
    /// How it travelled.
    pub channel: Channel,
    /// The gateway that the request named.
    pub gateway_key: String,
    /// The call that sent it: `send` or `request`.
    pub operation: &'static str,
    /// The template's values, as sent.
    pub params: serde_json::Value,
}

impl Kept for Message {
    fn id(&self) -> &str {
        &self.otp_id
    }
}

/// The Fazpass of a sandbox. Clones speak of the same one.
#[derive(Clone)]
pub struct Fazpass {
    front: Arc<Front<Api>>,
    /// What can be made to go wrong.
    pub knobs: Knobs,
}

impl Fazpass {
    pub(crate) fn new(front: Arc<Front<Api>>) -> Self {
        let knobs = front.knobs.clone();
        Self { front, knobs }
    }

    /// What stands in place of `https://api.fazpass.com/v1/otp`.
    pub fn base_url(&self) -> String {
        format!("{}/v1/otp", self.front.origin())
    }

    /// The merchant key that it takes.
    pub fn merchant_key(&self) -> &str {
        &self.api().account().merchant_key
    }

    /// The key of its first gateway: SMS, unless set otherwise.
    pub fn gateway_key(&self) -> &str {
        let first = self.api().account().gateways.first();
        first.map_or("", |gateway| gateway.key.as_str())
    }

    /// The environment that points a server here.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("FAZPASS_ENABLED", "true".to_owned()),
            ("FAZPASS_BASE_URL", self.base_url()),
            ("FAZPASS_MERCHANT_KEY", self.merchant_key().to_owned()),
            ("FAZPASS_GATEWAY_KEY", self.gateway_key().to_owned()),
        ]
    }

    /// All messages, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.api().messages()
    }

    /// The messages to one phone, oldest first. The phone may be written `+62…` or `62…`.
    pub fn messages_to(&self, phone: &str) -> Vec<Message> {
        let phone = phone.trim_start_matches('+');
        let mut messages = self.messages();
        messages.retain(|message| message.to == phone);
        messages
    }

    /// The last code that a phone got.
    pub fn last_code(&self, phone: &str) -> Option<String> {
        self.messages_to(phone).pop().map(|message| message.code)
    }

    /// Refuses every message to this phone from now on, with `status: false`.
    pub fn refuse(&self, phone: &str) {
        self.api().refuse(phone.trim_start_matches('+'), true);
    }

    /// Takes messages to this phone again.
    pub fn accept(&self, phone: &str) {
        self.api().refuse(phone.trim_start_matches('+'), false);
    }

    /// The calls that came in, refused ones included, oldest first.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.front.calls()
    }

    fn api(&self) -> &Api {
        &self.front.upstream
    }
}
