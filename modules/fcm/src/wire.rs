//! What FCM's answers mean. Pure.
//!
//! The order in which Google's own libraries look: the code in FCM's detail, else the status, else HTTP.
//! A token is given up by what FCM says of this token alone: one wrong payload of ours, or a key that
//! expired, must not wipe out every device there is.

use std::time::Duration;

use halobestie_core::outbound::reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::body;

/// What an answer means for a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// FCM has it.
    Sent,
    /// The app is gone from that device, or the token never was one.
    DeadToken,
    /// Our access token is not taken.
    AccessRefused,
    /// Not now: over a quota, or FCM has trouble.
    Busy(Option<Duration>),
    /// Nothing of ours gets through until somebody mends something in a console.
    Misconfigured,
    /// This device cannot be reached with our project's key.
    Foreign,
    /// The message itself is refused: a bug of ours.
    BadMessage,
}

/// An answer, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What it means.
    pub(crate) meaning: Meaning,
    /// FCM's code, or what stands in for it: a label for figures.
    pub(crate) code: &'static str,
    /// Its words, for the log. No token is in them.
    pub(crate) words: String,
}

/// `Retry-After` beyond this is a mistake of somebody's.
const WAIT_MAX: Duration = Duration::from_secs(3600);
/// What is asked for where a quota is used up and nobody says for how long.
const QUOTA_WAIT: Duration = Duration::from_secs(60);
/// What FCM says of a token that is none; the same code is for payloads that are wrong.
const NO_TOKEN: &str = "The registration token is not a valid FCM registration token";
const FCM_ERROR: &str = "type.googleapis.com/google.firebase.fcm.v1.FcmError";

/// The codes that are counted by their names.
const CODES: &[&str] = &[
    "UNREGISTERED",
    "INVALID_ARGUMENT",
    "SENDER_ID_MISMATCH",
    "THIRD_PARTY_AUTH_ERROR",
    "QUOTA_EXCEEDED",
    "UNAVAILABLE",
    "INTERNAL",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "NOT_FOUND",
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    error: Status,
}

/// `google.rpc.Status`. Each member may be missing, or of another type.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    message: Value,
    status: Value,
    details: Value,
}

/// Reads an answer.
pub(crate) fn read(status: StatusCode, retry_after: Option<&str>, body: &[u8]) -> Answer {
    if status.is_success() {
        return Answer {
            meaning: Meaning::Sent,
            code: "OK",
            words: String::new(),
        };
    }
    let said: Envelope = serde_json::from_slice(body).unwrap_or_default();
    let said = said.error;
    let own_code = said.fcm_code();
    let known = |name: &str| CODES.iter().find(|it| **it == name).copied();
    let code = own_code
        .or(said.status.as_str())
        .map_or("NONE", |name| known(name).unwrap_or("OTHER"));
    let message = said.message.as_str().unwrap_or_default();
    let wait = retry_after.and_then(wait).map(|it| it.min(WAIT_MAX));
    Answer {
        meaning: meaning(status, own_code.is_some(), code, message, wait),
        code,
        words: format!("{} {code}: {}", status.as_u16(), body::short(message)),
    }
}

impl Status {
    fn fcm_code(&self) -> Option<&str> {
        let details = self.details.as_array()?.iter();
        let mut own = details.filter(|it| it["@type"] == FCM_ERROR);
        own.find_map(|it| it["errorCode"].as_str())
    }
}

/// `is_own`: whether the code is FCM's, and not that of a layer before it.
fn meaning(
    status: StatusCode,
    is_own: bool,
    code: &str,
    message: &str,
    wait: Option<Duration>,
) -> Meaning {
    match code {
        "UNREGISTERED" if is_own => Meaning::DeadToken,
        "INVALID_ARGUMENT" if message.trim_end_matches('.') == NO_TOKEN => Meaning::DeadToken,
        "INVALID_ARGUMENT" => Meaning::BadMessage,
        "SENDER_ID_MISMATCH" => Meaning::Foreign,
        "THIRD_PARTY_AUTH_ERROR" | "PERMISSION_DENIED" | "NOT_FOUND" => Meaning::Misconfigured,
        "UNAUTHENTICATED" => Meaning::AccessRefused,
        "QUOTA_EXCEEDED" | "RESOURCE_EXHAUSTED" => Meaning::Busy(wait.or(Some(QUOTA_WAIT))),
        "UNAVAILABLE" | "INTERNAL" => Meaning::Busy(wait),
        _ => by_status(status, wait),
    }
}

fn by_status(status: StatusCode, wait: Option<Duration>) -> Meaning {
    match status {
        StatusCode::UNAUTHORIZED => Meaning::AccessRefused,
        StatusCode::TOO_MANY_REQUESTS => Meaning::Busy(wait.or(Some(QUOTA_WAIT))),
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Meaning::BadMessage,
        StatusCode::REQUEST_TIMEOUT => Meaning::Busy(wait),
        status if status.is_server_error() => Meaning::Busy(wait),
        // A redirect, or a page that is not there: what answers is not FCM.
        _ => Meaning::Misconfigured,
    }
}

/// Seconds, or a date as HTTP writes it: that one is rare, and treated as if nothing were said.
fn wait(retry_after: &str) -> Option<Duration> {
    retry_after.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(http: u16) -> StatusCode {
        StatusCode::from_u16(http).unwrap()
    }

    /// The meaning of an error of FCM's own.
    fn own(http: u16, code: &str, message: &str) -> Meaning {
        let body = json!({"error": {"code": http, "message": message, "status": "WHATEVER", "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []},
            {"@type": FCM_ERROR, "errorCode": code},
        ]}});
        read(status(http), None, body.to_string().as_bytes()).meaning
    }

    /// The meaning of an error before FCM.
    fn before(http: u16, name: &str) -> Meaning {
        let body = json!({"error": {"code": http, "message": "no", "status": name}});
        read(status(http), None, body.to_string().as_bytes()).meaning
    }

    #[test]
    fn a_token_is_given_up_by_what_is_said_of_it_alone() {
        assert_eq!(own(404, "UNREGISTERED", "gone"), Meaning::DeadToken);
        assert_eq!(own(400, "INVALID_ARGUMENT", NO_TOKEN), Meaning::DeadToken);
        assert_eq!(
            own(400, "INVALID_ARGUMENT", &format!("{NO_TOKEN}.")),
            Meaning::DeadToken
        );
        assert_eq!(own(400, "INVALID_ARGUMENT", "too big"), Meaning::BadMessage);
        assert_eq!(own(403, "SENDER_ID_MISMATCH", "no"), Meaning::Foreign);
        assert_eq!(before(404, "NOT_FOUND"), Meaning::Misconfigured);
        assert_eq!(before(404, "UNREGISTERED"), Meaning::Misconfigured);
        assert_eq!(
            read(status(404), None, b"<html>").meaning,
            Meaning::Misconfigured
        );
    }

    #[test]
    fn trouble_of_keys_is_no_trouble_of_tokens() {
        assert_eq!(
            own(401, "THIRD_PARTY_AUTH_ERROR", "apns"),
            Meaning::Misconfigured
        );
        assert_eq!(before(403, "PERMISSION_DENIED"), Meaning::Misconfigured);
        assert_eq!(before(401, "UNAUTHENTICATED"), Meaning::AccessRefused);
        assert_eq!(read(status(401), None, b"").meaning, Meaning::AccessRefused);
    }

    #[test]
    fn a_quota_waits_for_as_long_as_it_says_or_a_minute() {
        let minute = Meaning::Busy(Some(Duration::from_secs(60)));
        assert_eq!(own(429, "QUOTA_EXCEEDED", "slow"), minute);
        assert_eq!(before(429, "RESOURCE_EXHAUSTED"), minute);
        assert_eq!(read(status(429), None, b"").meaning, minute);
        let told = |text| read(status(429), Some(text), b"").meaning;
        assert_eq!(told("7"), Meaning::Busy(Some(Duration::from_secs(7))));
        assert_eq!(told("999999"), Meaning::Busy(Some(WAIT_MAX)));
        assert_eq!(told("Wed, 21 Oct 2026 07:28:00 GMT"), minute);
    }

    #[test]
    fn trouble_of_theirs_backs_off() {
        assert_eq!(own(503, "UNAVAILABLE", "no"), Meaning::Busy(None));
        assert_eq!(own(500, "INTERNAL", "no"), Meaning::Busy(None));
        for http in [408, 500, 502, 503, 504] {
            assert_eq!(
                read(status(http), None, b"<html>").meaning,
                Meaning::Busy(None)
            );
        }
    }

    #[test]
    fn members_of_other_types_are_as_good_as_none() {
        for body in [
            "",
            "[]",
            r#"{"error": 7}"#,
            r#"{"error": {"details": {}, "status": 5}}"#,
        ] {
            let answer = read(status(503), None, body.as_bytes());
            assert_eq!(
                (answer.meaning, answer.code),
                (Meaning::Busy(None), "NONE"),
                "{body}"
            );
        }
        let unknown = json!({"error": {"details": [{"@type": FCM_ERROR, "errorCode": "NEW"}]}});
        let answer = read(status(503), None, unknown.to_string().as_bytes());
        assert_eq!(
            (answer.meaning, answer.code),
            (Meaning::Busy(None), "OTHER")
        );
    }
}
