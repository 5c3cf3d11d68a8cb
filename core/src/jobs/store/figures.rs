//! The statements behind the figures.

use crate::pg::{DbError, Query, Row};
use crate::timestamp::Timestamp;

/// How many jobs of a kind there are.
pub(in crate::jobs) struct CountRow {
    pub(in crate::jobs) kind: String,
    pub(in crate::jobs) waiting: i64,
    pub(in crate::jobs) running: i64,
    pub(in crate::jobs) dead: i64,
    /// Since when the one has been due that has been due longest.
    pub(in crate::jobs) oldest_due_at: Option<Timestamp>,
}

/// Counts by kind, where there is anything.
pub(in crate::jobs) async fn counts(
    db: &impl Query,
    now: Timestamp,
) -> Result<Vec<CountRow>, DbError> {
    const SQL: &str = "SELECT kind, count(*) FILTER (WHERE state = 'waiting') AS waiting,
            count(*) FILTER (WHERE state = 'running') AS running,
            count(*) FILTER (WHERE state = 'dead') AS dead,
            min(due_at) FILTER (WHERE finished_at IS NULL AND due_at <= $1) AS oldest_due_at
          FROM jobs WHERE finished_at IS NULL OR state = 'dead' GROUP BY kind ORDER BY kind";
    let rows = db.rows(SQL, &[&now]).await?;
    Ok(rows.iter().map(count_row).collect())
}

fn count_row(row: &Row) -> CountRow {
    CountRow {
        kind: row.get("kind"),
        waiting: row.get("waiting"),
        running: row.get("running"),
        dead: row.get("dead"),
        oldest_due_at: row.get("oldest_due_at"),
    }
}
