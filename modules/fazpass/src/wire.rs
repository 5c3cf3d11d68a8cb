//! What is said to Fazpass, and what its answers mean.
//!
//! Success is status 200 and `status: true`. A refusal is an answer that says no: then surely nothing
//! was sent. Everything else (5xx, no JSON, an answer cut short) leaves it open. Of an answer's body
//! nothing but `status`, `code` and `message` is read: `data` may hold the code itself.

use std::time::Duration;

use halobestie_core::outbound::reqwest::StatusCode;
use serde::{Deserialize, Serialize};

/// `POST /send`: brings a code of ours.
#[derive(Serialize)]
pub(crate) struct Send<'a> {
    /// Digits with the country code, without a plus.
    pub(crate) phone: &'a str,
    pub(crate) otp: &'a str,
    pub(crate) gateway_key: &'a str,
}

/// `POST /verify`: asks about a code that Fazpass would have made. Sends nothing, so it is what the
/// doctor tries the merchant key with.
#[derive(Serialize)]
pub(crate) struct Verify<'a> {
    pub(crate) otp_id: &'a str,
    pub(crate) otp: &'a str,
}

/// A phone as Fazpass writes it.
pub(crate) fn phone(e164: &str) -> &str {
    e164.trim_start_matches('+')
}

/// The members of an answer that are looked at. Each may be missing or of another type.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    status: serde_json::Value,
    code: serde_json::Value,
    message: serde_json::Value,
}

/// A complete answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Its `Retry-After`, in seconds.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

/// What an answer means for the message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Sent,
    /// Surely not sent; what Fazpass says about it, fit for the log.
    Refused(String),
    /// Surely not sent: too many calls.
    Busy(Duration),
    /// Anything may have happened.
    Unclear(String),
}

/// When to come back where Fazpass does not say, and at the most.
const BUSY_RETRY: Duration = Duration::from_secs(5);
const BUSY_RETRY_MAX: Duration = Duration::from_secs(300);

impl Answer {
    /// What it means.
    pub(crate) fn meaning(&self) -> Meaning {
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            let wait = self.retry_after.unwrap_or(BUSY_RETRY);
            return Meaning::Busy(wait.min(BUSY_RETRY_MAX));
        }
        if self.status == StatusCode::REQUEST_TIMEOUT || self.status.is_server_error() {
            return Meaning::Unclear(self.in_words());
        }
        match (self.status.is_success(), self.said().status.as_bool()) {
            (true, Some(true)) => Meaning::Sent,
            (true, None) => Meaning::Unclear(self.in_words()),
            // A redirect is none of ours to follow: what answers there is not Fazpass.
            (true, Some(false)) | (false, _) => Meaning::Refused(self.in_words()),
        }
    }

    /// The status, Fazpass's own code and its message. Long numbers, which may be the phone or the
    /// code, are struck out.
    pub(crate) fn in_words(&self) -> String {
        const CHARS_MAX: usize = 200;
        let said = self.said();
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let words = [text(&said.code), text(&said.message)];
        let words: Vec<String> = words.into_iter().filter(|it| !it.is_empty()).collect();
        let words: String = words.join(": ").chars().take(CHARS_MAX).collect();
        match words.as_str() {
            "" => format!("status {}", self.status.as_u16()),
            _ => format!("status {}: {}", self.status.as_u16(), struck(&words)),
        }
    }

    fn said(&self) -> Said {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A text whose runs of four and more digits are struck out, and whose control characters are gone.
fn struck(text: &str) -> String {
    const SHOWN_MAX: usize = 3;
    let mut shown = String::with_capacity(text.len());
    let mut digits = String::new();
    // One character more than there is, so that a number at the end is closed too.
    for char in text.chars().map(Some).chain([None]) {
        if let Some(digit) = char.filter(char::is_ascii_digit) {
            digits.push(digit);
            continue;
        }
        if digits.len() > SHOWN_MAX {
            shown.push('#');
        } else {
            shown.push_str(&digits);
        }
        digits.clear();
        shown.extend(char.filter(|it| !it.is_control()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, body: &str) -> Meaning {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: body.into(),
        };
        answer.meaning()
    }

    #[test]
    fn success_is_a_200_that_says_so() {
        let sent =
            r#"{"status": true, "message": "Success", "data": {"id": "x", "otp": "123456"}}"#;
        assert_eq!(meaning(200, sent), Meaning::Sent);
        assert_eq!(meaning(200, r#"{"status": true}"#), Meaning::Sent);
    }

    #[test]
    fn a_no_is_a_refusal_by_either_way() {
        let no = r#"{"status": false, "message": "Invalid gateway", "code": "4005"}"#;
        let refused = |text: &str| Meaning::Refused(text.to_owned());
        assert_eq!(meaning(200, no), refused("status 200: #: Invalid gateway"));
        assert_eq!(meaning(400, no), refused("status 400: #: Invalid gateway"));
        assert_eq!(meaning(401, ""), refused("status 401"));
        assert_eq!(meaning(302, "<html>"), refused("status 302"));
        // A status of 4xx says no, whatever the body says.
        assert_eq!(meaning(404, r#"{"status": true}"#), refused("status 404"));
    }

    #[test]
    fn what_says_neither_leaves_it_open() {
        for (status, body) in [
            (200, ""),
            (200, "<html>"),
            (200, "{\"status\": tr"),
            (200, "{}"),
            (200, r#"{"status": "true"}"#),
            (500, r#"{"status": false}"#),
            (502, ""),
            (503, ""),
            (408, ""),
        ] {
            let unclear = matches!(meaning(status, body), Meaning::Unclear(_));
            assert!(unclear, "{status} {body}");
        }
    }

    #[test]
    fn too_many_calls_come_back_when_fazpass_says() {
        assert_eq!(meaning(429, ""), Meaning::Busy(BUSY_RETRY));
        let later = |seconds| Answer {
            status: StatusCode::TOO_MANY_REQUESTS,
            retry_after: Some(Duration::from_secs(seconds)),
            body: Vec::new(),
        };
        let minute = Duration::from_secs(60);
        assert_eq!(later(60).meaning(), Meaning::Busy(minute));
        assert_eq!(later(86_400).meaning(), Meaning::Busy(BUSY_RETRY_MAX));
    }

    #[test]
    fn neither_phone_nor_code_gets_into_the_log() {
        assert_eq!(
            struck("no route to 6281234567890, code 123456\n(4 of 200)"),
            "no route to #, code #(4 of 200)"
        );
        assert_eq!(struck("ends with 123456"), "ends with #");
    }

    #[test]
    fn a_phone_loses_its_plus() {
        assert_eq!(phone("+6281234567890"), "6281234567890");
    }
}
