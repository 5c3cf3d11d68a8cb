//! What has to be known of chats by whoever tells sleeping apps of them.

use std::collections::HashSet;

use async_trait::async_trait;
use uuid::Uuid;

use crate::pg::DbError;

/// One person's side of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Side {
    /// The session.
    pub session_id: Uuid,
    /// The person.
    pub user_id: Uuid,
}

/// A message on its way to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arrival {
    /// Where, and for whom.
    pub side: Side,
    /// Its number.
    pub seq: i64,
}

/// What waits for a person in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where, and for whom.
    pub side: Side,
    /// How many messages of the other side the person has not read, more than 0.
    pub count: i64,
    /// Who wrote the last of them.
    pub sender_id: Uuid,
    /// The last of them, where it is a text.
    pub text: Option<String>,
}

/// Answers for chats. At most 1,000 of anything a call.
#[async_trait]
pub trait ChatNews: Send + Sync {
    /// Those of these messages that their people have neither read nor, by any live socket,
    /// acknowledged. It asks sockets, so it may take a moment; whoever does not answer has not.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn unacknowledged(&self, arrivals: &[Arrival]) -> Result<Vec<Arrival>, DbError>;

    /// What waits in these sides; absent where all is read.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn unread(&self, sides: &[Side]) -> Result<Vec<Unread>, DbError>;

    /// Those of these requests that can still be accepted.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn open_requests(&self, request_ids: &[Uuid]) -> Result<HashSet<Uuid>, DbError>;
}
