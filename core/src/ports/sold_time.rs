//! What became of the time that was sold, for whoever keeps the books of the money.

use async_trait::async_trait;
use uuid::Uuid;

use crate::pg::DbError;

/// The time of a session, as its own books have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeOfSession {
    /// Which session.
    pub session_id: Uuid,
    /// What was delivered for it: the session itself and its extensions, by the ids that were charged.
    pub delivered: Vec<Uuid>,
    /// All the time that was bought for it, in milliseconds.
    pub bought_ms: i64,
    /// What of that went back to its customer, in milliseconds.
    pub returned_ms: i64,
}

/// Tells what was delivered and what was not.
#[async_trait]
pub trait SoldTime: Send + Sync {
    /// The time of these sessions; those of which nothing was ever bought, or that do not exist, are
    /// absent. At most 1,000 a call.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn of_sessions(&self, session_ids: &[Uuid]) -> Result<Vec<TimeOfSession>, DbError>;
}
