//! The statements about dead letters.

use uuid::Uuid;

use crate::pg::{DbError, Query, Row, Tx};
use crate::timestamp::Timestamp;

/// A dead letter as it is kept.
pub(in crate::jobs) struct DeadRow {
    pub(in crate::jobs) id: Uuid,
    pub(in crate::jobs) kind: String,
    pub(in crate::jobs) key: Option<String>,
    pub(in crate::jobs) attempts: i32,
    pub(in crate::jobs) enqueued_at: Timestamp,
    pub(in crate::jobs) died_at: Timestamp,
    pub(in crate::jobs) error: Option<String>,
}

/// Dead letters, the youngest first, older than the one given.
pub(in crate::jobs) async fn dead(
    db: &impl Query,
    before: Option<(Timestamp, Uuid)>,
    at_most: i64,
) -> Result<Vec<DeadRow>, DbError> {
    const SQL: &str =
        "SELECT id, kind, key, attempts, enqueued_at, finished_at, last_error FROM jobs
        WHERE state = 'dead' AND ($1::timestamptz IS NULL OR (finished_at, id) < ($1, $2))
        ORDER BY finished_at DESC, id DESC LIMIT $3";
    let (at, id) = before.unzip();
    let rows = db.rows(SQL, &[&at, &id, &at_most]).await?;
    Ok(rows.iter().map(dead_row).collect())
}

fn dead_row(row: &Row) -> DeadRow {
    DeadRow {
        id: row.get("id"),
        kind: row.get("kind"),
        key: row.get("key"),
        attempts: row.get("attempts"),
        enqueued_at: row.get("enqueued_at"),
        died_at: row.get("finished_at"),
        error: row.get("last_error"),
    }
}

/// Lets a dead letter live again, with as long to live as it had; its kind, unless it is not dead or
/// another job holds its key.
pub(in crate::jobs) async fn revive(
    tx: &Tx<'_>,
    id: Uuid,
    now: Timestamp,
) -> Result<Option<String>, DbError> {
    // Taken once more, so that whoever had it last cannot end it.
    const SQL: &str = "UPDATE jobs SET state = 'waiting', attempts = 0, taken = taken + 1,
            due_at = $2, deadline_at = $2::timestamptz + (deadline_at - enqueued_at),
            finished_at = NULL, keep_until = NULL, holds_key = key IS NOT NULL
        WHERE id = $1 AND state = 'dead' AND NOT EXISTS (SELECT FROM jobs AS other
            WHERE other.kind = jobs.kind AND other.key = jobs.key AND other.holds_key
              AND other.id <> jobs.id)
        RETURNING kind";
    let row = tx.row_opt(SQL, &[&id, &now]).await?;
    Ok(row.map(|row| row.get("kind")))
}
