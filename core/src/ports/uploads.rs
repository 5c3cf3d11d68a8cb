//! Files that people send each other: who keeps them, and who may see them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Timestamp;
use crate::pg::DbError;

/// What an upload is for people, by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// A picture.
    Image,
    /// A recording.
    Audio,
}

impl AttachmentKind {
    /// The name on the wire and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Image, Self::Audio]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// An upload as people see it. Nothing in it ever changes, so others may keep a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attachment {
    /// Its id: the `attachment_id` of a message.
    pub id: Uuid,
    /// `image` or `audio`.
    pub kind: AttachmentKind,
    /// Found in the bytes, whatever the sender said.
    #[schema(example = "image/jpeg")]
    pub content_type: String,
    /// In bytes.
    pub size: i64,
    /// Where to read it, below the server's own address.
    #[schema(example = "/api/uploads/0199a1c0-0000-7000-8000-000000000000")]
    pub url: String,
    /// Of a picture, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Of a picture, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

/// Keeps what people send to each other.
#[async_trait]
pub trait Attachments: Send + Sync {
    /// Gives an upload of `owner_id` to a session, for good: from then on both people of it may read
    /// it. To be called before the message is written, any number of times. `None` where there is no
    /// such upload, it is somebody else's, or it went to another session.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn attach(
        &self,
        upload_id: Uuid,
        owner_id: Uuid,
        session_id: Uuid,
        now: Timestamp,
    ) -> Result<Option<Attachment>, DbError>;
}

/// Knows who talks to whom.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Whether somebody is one of the two people of a session now. A mitra that handed the session on
    /// is not.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn is_side(&self, session_id: Uuid, user_id: Uuid) -> Result<bool, DbError>;

    /// Those of these uploads that some message still carries.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn carried(&self, upload_ids: &[Uuid]) -> Result<Vec<Uuid>, DbError>;
}
