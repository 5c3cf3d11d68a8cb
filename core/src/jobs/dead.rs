//! Dead letters: to be seen, and to be given another life by somebody who has mended the cause.

use serde::Serialize;
use uuid::Uuid;

use super::queue::Jobs;
use super::store::{self, DeadRow};
use crate::after_commit::AfterCommit;
use crate::pg::{DbError, Query, Tx};
use crate::timestamp::Timestamp;

/// A job that nobody will do any more, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadJob {
    /// Its id.
    pub id: Uuid,
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: Option<String>,
    /// Attempts that counted.
    pub attempts: u32,
    /// When it was enqueued.
    pub enqueued_at: Timestamp,
    /// When it died.
    pub died_at: Timestamp,
    /// Why.
    pub error: Option<String>,
}

impl From<DeadRow> for DeadJob {
    fn from(row: DeadRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            key: row.key,
            attempts: u32::try_from(row.attempts).unwrap_or(0),
            enqueued_at: row.enqueued_at,
            died_at: row.died_at,
            error: row.error,
        }
    }
}

impl Jobs {
    /// Dead letters of every kind, the youngest first; `before` is the last one of the page before.
    ///
    /// # Errors
    /// Postgres's failures.
    pub async fn dead(
        &self,
        db: &impl Query,
        before: Option<(Timestamp, Uuid)>,
        at_most: u32,
    ) -> Result<Vec<DeadJob>, DbError> {
        let rows = store::dead(db, before, at_most.into()).await?;
        Ok(rows.into_iter().map(DeadJob::from).collect())
    }

    /// Lets a dead letter live again: all its attempts, and as long to live as it had. `None` when it
    /// is not dead, or another job holds its key by now.
    ///
    /// # Errors
    /// Postgres's failures.
    pub async fn revive(
        &self,
        tx: &Tx<'_>,
        id: Uuid,
    ) -> Result<Option<AfterCommit<'static>>, DbError> {
        let Some(kind) = store::revive(tx, id, self.now()).await? else {
            return Ok(None);
        };
        let queue = self.clone();
        Ok(Some(AfterCommit::new(async move { queue.tell(&kind, 1) })))
    }
}
