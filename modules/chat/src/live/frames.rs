//! The frames of `halobestie.v1`: what clients may send and what the server says.

use halobestie_core::ports::{Heartbeat, Payment, Role};
use halobestie_core::{Problem, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::messages::{Draft, Message};
use crate::pairing::GoneReason;
use crate::text::invalid;
use crate::views::{ChatRequest, Offer, Session};

/// An `id` that is longer is not sent back.
const ID_CHARS_MAX: usize = 100;
/// How many sessions one `resume` may name.
pub(crate) const RESUME_SESSIONS_MAX: usize = 100;

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type")]
pub(crate) enum ServerFrame<'a> {
    #[serde(rename = "hello")]
    Hello {
        connection_id: Uuid,
        server_time: Timestamp,
        user: Greeted,
    },
    #[serde(rename = "pong")]
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Value>,
        server_time: Timestamp,
    },
    #[serde(rename = "ack")]
    Ack {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Value>,
        message: &'a Message,
    },
    #[serde(rename = "error")]
    Error {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Value>,
        code: &'static str,
        detail: &'a str,
    },
    #[serde(rename = "resumed")]
    Resumed { sessions: Vec<ResumedSession> },
    #[serde(rename = "heartbeat")]
    Heartbeat(Heartbeat),
    #[serde(rename = "auth.ok")]
    AuthOk { expires_at: Timestamp },
    #[serde(rename = "message.new")]
    MessageNew { message: &'a Message },
    #[serde(rename = "message.read")]
    MessageRead {
        session_id: Uuid,
        reader_id: Uuid,
        seq: i64,
    },
    #[serde(rename = "typing")]
    Typing {
        session_id: Uuid,
        user_id: Uuid,
        typing: bool,
    },
    #[serde(rename = "offer.new")]
    OfferNew { offer: &'a Offer },
    #[serde(rename = "offer.gone")]
    OfferGone {
        request_id: Uuid,
        reason: GoneReason,
    },
    #[serde(rename = "request.updated")]
    RequestUpdated { request: &'a ChatRequest },
    #[serde(rename = "session.updated")]
    SessionUpdated {
        session: &'a Session,
        reason: &'a str,
    },
    #[serde(rename = "session.expiring")]
    SessionExpiring {
        session_id: Uuid,
        remaining_seconds: u64,
    },
    #[serde(rename = "payment.updated")]
    PaymentUpdated { payment: &'a Payment },
    #[serde(rename = "server.draining")]
    Draining { reconnect_after_ms: u64 },
}

/// Whom `hello` greets.
#[derive(Serialize)]
pub(crate) struct Greeted {
    pub(crate) id: Uuid,
    pub(crate) role: Role,
    pub(crate) display_name: String,
    pub(crate) language: String,
}

/// Up to where a session is resumed.
#[derive(Serialize)]
pub(crate) struct ResumedSession {
    pub(crate) session_id: Uuid,
    pub(crate) last_seq: i64,
}

/// What a client may send.
pub(crate) enum ClientFrame {
    Ping,
    Send { session_id: Uuid, draft: Draft },
    Read(Read),
    Typing(Typing),
    Resume(Resume),
    Heartbeat,
    Auth(Auth),
}

/// How far the client's user has read.
#[derive(Deserialize)]
pub(crate) struct Read {
    pub(crate) session_id: Uuid,
    pub(crate) seq: i64,
}

/// Whether the client's user is typing.
#[derive(Deserialize)]
pub(crate) struct Typing {
    pub(crate) session_id: Uuid,
    pub(crate) typing: bool,
}

/// From where the client goes on.
#[derive(Deserialize)]
pub(crate) struct Resume {
    pub(crate) sessions: Vec<ResumeFrom>,
}

/// From where it goes on in one session.
#[derive(Deserialize)]
pub(crate) struct ResumeFrom {
    pub(crate) session_id: Uuid,
    pub(crate) after_seq: i64,
}

/// A token.
#[derive(Deserialize)]
pub(crate) struct Auth {
    pub(crate) access_token: String,
}

/// A frame of a client: of a known type, its fields as they should be or not.
pub(crate) struct Decoded {
    /// The client's own mark, sent back with the answer.
    pub(crate) id: Option<Value>,
    /// What it says.
    pub(crate) frame: Result<ClientFrame, Problem>,
}

/// Not JSON, not an object, or of a type that we do not know: the client speaks something else.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadFrame;

/// Reads a frame.
///
/// # Errors
/// [`BadFrame`], for which the socket is closed. Wrong fields of a known type are told to the client.
pub(crate) fn decode(text: &str) -> Result<Decoded, BadFrame> {
    let value: Value = serde_json::from_str(text).map_err(|_| BadFrame)?;
    let kind = value
        .get("type")
        .and_then(Value::as_str)
        .ok_or(BadFrame)?
        .to_owned();
    let id = value.get("id").filter(|id| may_be_sent_back(id)).cloned();
    let frame = match kind.as_str() {
        "ping" => Ok(ClientFrame::Ping),
        "message.send" => send(value),
        "message.read" => fields(value).map(ClientFrame::Read),
        "typing" => fields(value).map(ClientFrame::Typing),
        "resume" => fields(value)
            .and_then(check_resume)
            .map(ClientFrame::Resume),
        "heartbeat" => Ok(ClientFrame::Heartbeat),
        "auth" => fields(value).map(ClientFrame::Auth),
        _ => return Err(BadFrame),
    };
    Ok(Decoded { id, frame })
}

fn may_be_sent_back(id: &Value) -> bool {
    id.is_number()
        || id
            .as_str()
            .is_some_and(|id| id.chars().count() <= ID_CHARS_MAX)
}

fn send(value: Value) -> Result<ClientFrame, Problem> {
    #[derive(Deserialize)]
    struct Where {
        session_id: Uuid,
    }
    let Where { session_id } = fields(value.clone())?;
    Ok(ClientFrame::Send {
        session_id,
        draft: fields(value)?,
    })
}

fn check_resume(resume: Resume) -> Result<Resume, Problem> {
    if resume.sessions.len() > RESUME_SESSIONS_MAX {
        return Err(invalid(
            "sessions",
            format!("must have at most {RESUME_SESSIONS_MAX} items"),
        ));
    }
    if resume.sessions.iter().any(|session| session.after_seq < 0) {
        return Err(invalid("after_seq", "must be 0 or more"));
    }
    Ok(resume)
}

fn fields<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| invalid("frame", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_types_in_json_objects_are_frames() {
        for bad in [
            "",
            "hai",
            "[]",
            "7",
            "{}",
            r#"{"type":7}"#,
            r#"{"type":"dance"}"#,
        ] {
            assert!(decode(bad).is_err(), "{bad}");
        }
        assert!(matches!(
            decode(r#"{"type":"ping"}"#).unwrap().frame,
            Ok(ClientFrame::Ping)
        ));
    }

    #[test]
    fn wrong_fields_are_told_with_the_id() {
        let decoded =
            decode(r#"{"type":"message.read","id":"a","session_id":"x","seq":1}"#).unwrap();
        assert_eq!(decoded.id, Some("a".into()));
        assert_eq!(
            decoded.frame.err().unwrap().code().name,
            "validation_failed"
        );
    }

    #[test]
    fn an_id_that_is_not_a_short_mark_is_not_sent_back() {
        let long = format!(r#"{{"type":"ping","id":"{}"}}"#, "x".repeat(101));
        assert_eq!(decode(&long).unwrap().id, None);
        assert_eq!(decode(r#"{"type":"ping","id":{"a":1}}"#).unwrap().id, None);
        assert_eq!(
            decode(r#"{"type":"ping","id":7}"#).unwrap().id,
            Some(7.into())
        );
    }

    #[test]
    fn a_resume_is_bounded() {
        let session = r#"{"session_id":"018f0000-0000-7000-8000-000000000000","after_seq":0}"#;
        let resume = |count| {
            let sessions = vec![session; count].join(",");
            decode(&format!(r#"{{"type":"resume","sessions":[{sessions}]}}"#))
                .unwrap()
                .frame
        };
        assert!(resume(RESUME_SESSIONS_MAX).is_ok());
        assert!(resume(RESUME_SESSIONS_MAX + 1).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_decoder(text in "\\PC*") {
            let _ = decode(&text);
        }

        #[test]
        fn no_fields_break_the_decoder(kind in "[a-z.]{1,12}", seq in proptest::num::i64::ANY) {
            let _ = decode(&format!(r#"{{"type":"{kind}","seq":{seq},"sessions":[{seq}]}}"#));
        }
    }
}
