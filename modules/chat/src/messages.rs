//! Messages: their shape, what may be sent, and the one way in which they are sent, whether they came
//! over HTTP or a socket.
//!
//! A message that was acknowledged is committed, has the next number of its session, and is the same
//! one however often it is sent.

use halobestie_core::Problem;
use halobestie_core::Timestamp;
use halobestie_core::pg::DbError;
use halobestie_core::ports::{Principal, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ChatError;
use crate::notices;
use crate::state::State;
use crate::store::messages::{self as store, Earlier, NewMessage};
use crate::store::sides::Sides;
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
    pub(crate) body: String,
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
    /// 1 to 4,000 characters.
    pub(crate) body: String,
    /// For an image or a recording: what was uploaded before.
    #[serde(default)]
    pub(crate) attachment_id: Option<Uuid>,
}

/// A message that is in Postgres.
pub(crate) struct Sent {
    pub(crate) message: Message,
    /// Whether this call wrote it; otherwise it was there already.
    pub(crate) is_new: bool,
}

/// Writes a message and tells both sides.
///
/// # Errors
/// `validation_failed`, `rate_limited`, `not_found` for somebody else's session,
/// `session_not_active`.
pub(crate) async fn send(
    state: &State,
    sender: &Principal,
    session_id: Uuid,
    draft: Draft,
) -> Result<Sent, Problem> {
    let kind = check(&draft)?;
    let now = state.clock.now();
    state
        .limits
        .take_message(sender.user_id, now)
        .map_err(ChatError::RateLimited)?;
    let message = NewMessage {
        id: state.entropy.uuid(&state.clock),
        session_id,
        sender_id: sender.user_id,
        sender_role: sender.role,
        client_message_id: &draft.client_message_id,
        kind,
        body: &draft.body,
        sent_at: now,
    };
    let (seq, sides) = match write(state, &message).await {
        Ok(Some(written)) => written,
        Ok(None) => return earlier(state, &message).await,
        Err(error) if error.unique_violation() == Some(store::SENT_ONCE) => {
            return earlier(state, &message).await;
        }
        Err(error) => return Err(error.into()),
    };
    let message = Message {
        id: message.id,
        session_id,
        seq,
        client_message_id: draft.client_message_id,
        sender_id: sender.user_id,
        sender_role: sender.role,
        kind,
        body: draft.body,
        sent_at: now,
    };
    state.metrics.messages.inc();
    state.announce_message(&message, sides);
    Ok(Sent {
        message,
        is_new: true,
    })
}

/// Writes a message and, where somebody tells sleeping apps, that they are to be told of it.
async fn write(state: &State, it: &NewMessage<'_>) -> Result<Option<(i64, Sides)>, DbError> {
    if state.notifier().is_none() {
        return store::insert(&state.db, it).await;
    }
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    let written = store::insert(&tx, it).await?;
    let Some((seq, sides)) = written else {
        return Ok(None);
    };
    let arrived = notices::message(it.session_id, seq, sides.other(it.sender_id));
    let noticed = notices::write(state, &tx, &[arrived]).await?;
    tx.commit().await?;
    drop(client);
    noticed.run().await;
    Ok(written)
}

async fn earlier(state: &State, it: &NewMessage<'_>) -> Result<Sent, Problem> {
    let found =
        store::find_earlier(&state.db, it.session_id, it.sender_id, it.client_message_id).await?;
    match found {
        None => Err(ChatError::NotFound.into()),
        Some(Earlier {
            message: Some(message),
        }) => Ok(Sent {
            message,
            is_new: false,
        }),
        // Also an active session whose time is over and whose end is being written.
        Some(Earlier { message: None }) => Err(ChatError::SessionNotActive.into()),
    }
}

fn check(draft: &Draft) -> Result<MessageKind, Problem> {
    text::check(
        "client_message_id",
        &draft.client_message_id,
        CLIENT_MESSAGE_ID_CHARS_MAX,
    )?;
    let Some(kind) = MessageKind::parse(&draft.kind) else {
        return Err(invalid("kind", "must be text, image or audio"));
    };
    match (kind, draft.attachment_id) {
        (MessageKind::Text, None) => text::check("body", &draft.body, BODY_CHARS_MAX)?,
        (MessageKind::Text, Some(_)) => {
            return Err(invalid("attachment_id", "a text message has no attachment"));
        }
        // Uploads are a module of their own; until it is there no attachment can be known.
        (MessageKind::Image | MessageKind::Audio, _) => {
            return Err(invalid(
                "attachment_id",
                "must name an upload of yours for this session",
            ));
        }
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
    fn other_kinds_need_an_upload() {
        for kind in ["image", "audio", "video"] {
            assert!(
                check(&Draft {
                    kind: kind.into(),
                    ..draft("x")
                })
                .is_err(),
                "{kind}"
            );
        }
        assert!(
            check(&Draft {
                attachment_id: Some(Uuid::nil()),
                ..draft("x")
            })
            .is_err()
        );
    }
}
