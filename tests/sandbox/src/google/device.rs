//! Devices, and what each of them got.

use halobestie_core::timestamp::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ring::Kept;

/// Theirs have 140 characters and more; shorter ones that a person made up for a demo are let pass.
const TOKEN_CHARS_MIN: usize = 20;
const TOKEN_CHARS_MAX: usize = 4096;

/// A message that a device got.
#[derive(Clone, Debug, Serialize)]
pub struct Push {
    /// The name that the answer carried.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// The registration token, topic or condition.
    pub target: String,
    /// The message, names in snake case.
    pub message: Value,
}

impl Kept for Push {
    fn id(&self) -> &str {
        &self.name
    }
}

impl Push {
    /// A value of the message's data.
    pub fn data(&self, key: &str) -> Option<&str> {
        self.message["data"][key].as_str()
    }

    /// The notification's title.
    pub fn title(&self) -> Option<&str> {
        let android = self.message["android"]["notification"]["title"].as_str();
        self.message["notification"]["title"].as_str().or(android)
    }

    /// The notification's text.
    pub fn body(&self) -> Option<&str> {
        let android = self.message["android"]["notification"]["body"].as_str();
        self.message["notification"]["body"].as_str().or(android)
    }

    /// Android's collapse key.
    pub fn collapse_key(&self) -> Option<&str> {
        self.message["android"]["collapse_key"].as_str()
    }

    /// Android's time to live, as sent: `60s`.
    pub fn ttl(&self) -> Option<&str> {
        self.message["android"]["ttl"].as_str()
    }

    /// Android's priority, as sent.
    pub fn priority(&self) -> Option<&str> {
        self.message["android"]["priority"].as_str()
    }

    /// A header for Apple.
    pub fn apns_header(&self, name: &str) -> Option<&str> {
        self.message["apns"]["headers"][name].as_str()
    }
}

/// A token of the form of theirs.
pub(super) fn registration_token(name: &str) -> String {
    let hex = |part: &str| -> String {
        let digest = Sha256::digest(format!("{part} {name}"));
        digest.iter().map(|it| format!("{it:02x}")).collect()
    };
    let (instance, rest, more) = (hex("instance"), hex("rest"), hex("more"));
    format!("{}:APA91b{rest}{more}", &instance[..22])
}

pub(super) fn is_registration_token(text: &str) -> bool {
    let letter = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b':');
    (TOKEN_CHARS_MIN..=TOKEN_CHARS_MAX).contains(&text.len()) && text.bytes().all(letter)
}
