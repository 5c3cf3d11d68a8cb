//! Messages: their shape, what may be sent, and the one way in which they are sent, whether they came
//! over HTTP or a socket.
//!
//! A message that was acknowledged is committed, has the next number of its session, and is the same
//! one however often it is sent.

use halobestie_core::Problem;
use halobestie_core::Timestamp;
use halobestie_core::ports::{Attachment, AttachmentKind, Principal, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ChatError;
use crate::state::State;
use crate::store::messages as store;
use crate::text::{self, invalid};

/// The longest body.
const BODY_CHARS_MAX: usize = 4000;
const CLIENT_MESSAGE_ID_CHARS_MAX: usize = 100;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessageKind {
    Text,
    Image,
    Audio,
}

impl MessageKind {
    /// The name on the wire and in Postgres.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Audio => "audio",
        }
    }

    /// Reads a name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Text, Self::Image, Self::Audio]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    /// What a message of this kind carries.
    fn attachment(self) -> Option<AttachmentKind> {
        match self {
            Self::Text => None,
            Self::Image => Some(AttachmentKind::Image),
            Self::Audio => Some(AttachmentKind::Audio),
        }
    }
}

/// A message of a session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) session_id: Uuid,
    /// From 1 in each session, without gaps, in commit order.
    pub(crate) seq: i64,
    pub(crate) client_message_id: String,
    pub(crate) sender_id: Uuid,
    pub(crate) sender_role: Role,
    pub(crate) kind: MessageKind,
    /// The text, or what is said to a picture or a recording.
    pub(crate) body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attachment: Option<Attachment>,
    pub(crate) sent_at: Timestamp,
}

/// What a client sends, over HTTP and in a `message.send` frame.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Draft {
    /// Made by the client, 1 to 100 characters, best a UUID: the same one again is the same message.
    pub(crate) client_message_id: String,
    /// `text`, `image` or `audio`.
    #[schema(example = "text")]
    pub(crate) kind: String,
    /// 1 to 4,000 characters; of an image or a recording, none at all will do.
    #[serde(default)]
    pub(crate) body: String,
    /// For an image or a recording: what was uploaded before, by the sender, for this session.
    #[serde(default)]
    pub(crate) attachment_id: Option<Uuid>,
}

/// A message to be written.
#[derive(Debug)]
pub(crate) struct NewMessage {
    pub(crate) id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) sender_id: Uuid,
    pub(crate) sender_role: Role,
    pub(crate) client_message_id: String,
    pub(crate) kind: MessageKind,
    pub(crate) body: String,
    pub(crate) attachment: Option<Attachment>,
}

impl NewMessage {
    /// The message that it is once it is written.
    pub(crate) fn numbered(&self, seq: i64, sent_at: Timestamp) -> Message {
        Message {
            id: self.id,
            session_id: self.session_id,
            seq,
            client_message_id: self.client_message_id.clone(),
            sender_id: self.sender_id,
            sender_role: self.sender_role,
            kind: self.kind,
            body: self.body.clone(),
            attachment: self.attachment.clone(),
            sent_at,
        }
    }
}

/// A message that is in Postgres.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) message: Message,
    /// Whether this call wrote it; otherwise it was there already.
    pub(crate) is_new: bool,
}

/// Writes a message and tells both sides.
///
/// # Errors
/// `validation_failed`, `rate_limited`, `not_found` for somebody else's session,
/// `session_not_active`, `overloaded`.
pub(crate) async fn send(
    state: &State,
    sender: &Principal,
    session_id: Uuid,
    draft: Draft,
) -> Result<Sent, Problem> {
    let kind = check(&draft)?;
    state
        .limits
        .take_message(sender.user_id, state.clock.now())
        .map_err(ChatError::RateLimited)?;
    let mut message = NewMessage {
        id: state.entropy.uuid(&state.clock),
        session_id,
        sender_id: sender.user_id,
        sender_role: sender.role,
        client_message_id: draft.client_message_id,
        kind,
        body: draft.body,
        attachment: None,
    };
    if let (Some(kind), Some(upload_id)) = (kind.attachment(), draft.attachment_id) {
        match attach(state, &message, kind, upload_id).await? {
            Attached::Now(attachment) => message.attachment = Some(attachment),
            Attached::Before(message) => {
                let is_new = false;
                return Ok(Sent { message, is_new });
            }
        }
    }
    state.scribe.write(message).await
}

enum Attached {
    Now(Attachment),
    /// The message has been written already.
    Before(Message),
}

/// Gives an upload to the session, if the message will be taken there. Should it not be after all, the
/// upload is swept like one that was never sent.
async fn attach(
    state: &State,
    it: &NewMessage,
    kind: AttachmentKind,
    upload_id: Uuid,
) -> Result<Attached, Problem> {
    let (session_id, sender_id, now) = (it.session_id, it.sender_id, state.clock.now());
    let mark = &it.client_message_id;
    let standing = store::standing(&state.db, session_id, sender_id, mark, now).await?;
    let standing = standing.ok_or(ChatError::NotFound)?;
    if let Some(message) = standing.earlier {
        return Ok(Attached::Before(message));
    }
    if !standing.takes {
        return Err(ChatError::SessionNotActive.into());
    }
    let uploads = state.attachments().ok_or_else(no_such_upload)?;
    let attachment = uploads
        .attach(upload_id, sender_id, session_id, now)
        .await?
        .ok_or_else(no_such_upload)?;
    if attachment.kind != kind {
        let message = format!("is an upload of kind {}", attachment.kind.as_str());
        return Err(invalid("attachment_id", message));
    }
    Ok(Attached::Now(attachment))
}

fn no_such_upload() -> Problem {
    let message = "must name an upload of yours that went to no other session";
    invalid("attachment_id", message)
}

/// The kind of what a client sends, if that is well made.
fn check(draft: &Draft) -> Result<MessageKind, Problem> {
    text::check(
        "client_message_id",
        &draft.client_message_id,
        CLIENT_MESSAGE_ID_CHARS_MAX,
    )?;
    let Some(kind) = MessageKind::parse(&draft.kind) else {
        return Err(invalid("kind", "must be text, image or audio"));
    };
    match (kind.attachment(), draft.attachment_id) {
        (None, None) => text::check("body", &draft.body, BODY_CHARS_MAX)?,
        (None, Some(_)) => {
            return Err(invalid("attachment_id", "a text message has no attachment"));
        }
        (Some(_), None) => {
            return Err(invalid("attachment_id", "must name what was uploaded"));
        }
        (Some(_), Some(_)) if draft.body.is_empty() => {}
        (Some(_), Some(_)) => text::check("body", &draft.body, BODY_CHARS_MAX)?,
    }
    Ok(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(body: &str) -> Draft {
        Draft {
            client_message_id: "1".into(),
            kind: "text".into(),
            body: body.into(),
            attachment_id: None,
        }
    }

    #[test]
    fn a_text_has_one_to_four_thousand_characters() {
        assert_eq!(check(&draft("hai")).unwrap(), MessageKind::Text);
        assert!(check(&draft(&"é".repeat(4000))).is_ok());
        assert!(check(&draft(&"é".repeat(4001))).is_err());
        assert!(check(&draft(" \n")).is_err());
        assert!(check(&draft("nul \0 byte")).is_err());
    }

    #[test]
    fn pictures_and_recordings_need_an_upload_and_no_words() {
        let of = |kind: &str, attachment_id, body: &str| {
            let kind = kind.into();
            check(&Draft {
                kind,
                attachment_id,
                ..draft(body)
            })
        };
        let upload = Some(Uuid::nil());
        for kind in ["image", "audio"] {
            assert!(of(kind, None, "x").is_err(), "{kind}");
            assert!(of(kind, upload, "").is_ok(), "{kind}");
            assert!(of(kind, upload, "look").is_ok(), "{kind}");
            assert!(of(kind, upload, &"x".repeat(4001)).is_err(), "{kind}");
        }
        assert!(of("video", upload, "x").is_err());
        assert!(of("text", upload, "x").is_err());
    }
}
