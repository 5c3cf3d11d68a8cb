//! What the control center may do with a session.

use async_trait::async_trait;
use uuid::Uuid;

use crate::after_commit::AfterCommit;
use crate::pg::{DbError, Tx};

/// What came of ending a session.
#[must_use = "what was written is not told before `after_commit` is run"]
pub struct EndedSession<'a> {
    /// Where it was, one of [`SESSION_STATUSES`](super::SESSION_STATUSES), as of the locked row.
    pub was: &'static str,
    /// Why it ended now: `admin_ended`, or what had come about before anybody wrote it down. `None` where
    /// it was over already, and so nothing happened.
    pub reason: Option<&'static str>,
    /// What tells both sides.
    pub after_commit: AfterCommit<'a>,
}

/// Moves sessions on by order of an admin.
#[async_trait]
pub trait SessionControl: Send + Sync {
    /// Ends a session in `tx`, whatever it waits for; the time that was left of it is credited to its
    /// customer. Nothing happens to one that is over, and one whose time is over has expired. `None` when
    /// there is no such session. Both sides are told once the returned `after_commit` is run, and by
    /// catch-up should it be dropped.
    ///
    /// # Errors
    /// When Postgres does not answer.
    async fn end<'a>(
        &'a self,
        tx: &Tx<'_>,
        session_id: Uuid,
        admin_id: Uuid,
    ) -> Result<Option<EndedSession<'a>>, DbError>;
}
