//! The statements of the queue. Each is for many rows, none for one where many will do.

mod figures;
mod letters;

use uuid::Uuid;

use super::policy::{Policy, Unique};
use super::verdict::{State, Verdict};
use crate::pg::{DbError, Query, Row, Tx};
use crate::timestamp::Timestamp;

pub(super) use figures::{CountRow, counts};
pub(super) use letters::{DeadRow, dead, revive};

/// A row to be written.
pub(super) struct NewRow {
    pub(super) id: Uuid,
    pub(super) key: Option<String>,
    /// JSON.
    pub(super) payload: String,
    pub(super) due_at: Timestamp,
    pub(super) deadline_at: Timestamp,
}

/// A job that was taken.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) id: Uuid,
    pub(super) payload: serde_json::Value,
    /// This one included.
    pub(super) attempts: u32,
    /// What the end must be written with.
    pub(super) taken: i32,
    pub(super) enqueued_at: Timestamp,
    pub(super) deadline_at: Timestamp,
    /// Since when it could have been taken.
    pub(super) was_due_at: Timestamp,
    /// Whether somebody had it, whose lease is over.
    pub(super) was_running: bool,
}

/// A verdict on a job that was taken.
pub(super) struct Settled {
    pub(super) id: Uuid,
    pub(super) taken: i32,
    pub(super) verdict: Verdict,
}

/// Writes new jobs of a kind, but those whose key is held; how many were written.
pub(super) async fn insert(
    tx: &Tx<'_>,
    kind: &str,
    rows: &[NewRow],
    now: Timestamp,
) -> Result<u64, DbError> {
    const SQL: &str = "INSERT INTO jobs
            (id, kind, key, holds_key, payload, enqueued_at, due_at, deadline_at)
        SELECT id, $1, key, key IS NOT NULL, payload::json, $2, due_at, deadline_at
          FROM unnest($3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
            AS new (id, key, payload, due_at, deadline_at)
        ON CONFLICT (kind, key) WHERE holds_key DO NOTHING";
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let keys: Vec<Option<&str>> = rows.iter().map(|row| row.key.as_deref()).collect();
    let payloads: Vec<&str> = rows.iter().map(|row| row.payload.as_str()).collect();
    let due: Vec<Timestamp> = rows.iter().map(|row| row.due_at).collect();
    let deadlines: Vec<Timestamp> = rows.iter().map(|row| row.deadline_at).collect();
    tx.execute(
        SQL,
        &[&kind, &now, &ids, &keys, &payloads, &due, &deadlines],
    )
    .await
}

/// Takes jobs of a kind that are due, the longest due first, under a lease.
pub(super) async fn take(
    db: &impl Query,
    kind: &str,
    at_most: usize,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<Taken>, DbError> {
    // Materialized: inlined, the limited and locking part could be run more than once.
    const SQL: &str = "WITH due AS MATERIALIZED (
            SELECT id, due_at, state FROM jobs
             WHERE kind = $1 AND finished_at IS NULL AND due_at <= $2
             ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
        UPDATE jobs SET state = 'running', due_at = $4, taken = taken + 1, attempts = attempts + 1
          FROM due WHERE jobs.id = due.id
        RETURNING jobs.id, payload, attempts, taken, enqueued_at, deadline_at,
            due.due_at AS was_due_at, due.state = 'running' AS was_running";
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    let rows = db.rows(SQL, &[&kind, &now, &at_most, &lease_until]).await?;
    let mut taken: Vec<Taken> = rows.iter().map(taken).collect();
    taken.sort_by_key(|job| job.was_due_at);
    Ok(taken)
}

fn taken(row: &Row) -> Taken {
    Taken {
        id: row.get("id"),
        payload: row.get("payload"),
        attempts: u32::try_from(row.get::<_, i32>("attempts")).unwrap_or(u32::MAX),
        taken: row.get("taken"),
        enqueued_at: row.get("enqueued_at"),
        deadline_at: row.get("deadline_at"),
        was_due_at: row.get("was_due_at"),
        was_running: row.get("was_running"),
    }
}

/// When the next job of a kind is due, or the next lease over.
pub(super) async fn next_due(db: &impl Query, kind: &str) -> Result<Option<Timestamp>, DbError> {
    const SQL: &str = "SELECT due_at FROM jobs WHERE kind = $1 AND finished_at IS NULL
        ORDER BY due_at LIMIT 1";
    let row = db.row_opt(SQL, &[&kind]).await?;
    Ok(row.map(|row| row.get("due_at")))
}

/// Which of these kinds have a job that is due.
pub(super) async fn kinds_due(
    db: &impl Query,
    kinds: &[&str],
    now: Timestamp,
) -> Result<Vec<String>, DbError> {
    const SQL: &str = "SELECT kind FROM unnest($1::text[]) AS these (kind)
        WHERE EXISTS (SELECT FROM jobs
            WHERE jobs.kind = these.kind AND finished_at IS NULL AND due_at <= $2)";
    let rows = db.rows(SQL, &[&kinds, &now]).await?;
    Ok(rows.iter().map(|row| row.get("kind")).collect())
}

/// Writes what became of jobs of a kind, but where another worker has taken one since.
pub(super) async fn settle(
    db: &impl Query,
    policy: &Policy,
    settled: &[&Settled],
    now: Timestamp,
) -> Result<u64, DbError> {
    const SQL: &str = "UPDATE jobs SET state = it.state, attempts = it.attempts,
            due_at = coalesce(it.due_at, jobs.due_at), keep_until = it.keep_until,
            finished_at = CASE WHEN it.keep_until IS NOT NULL THEN $1::timestamptz END,
            holds_key = holds_key AND (it.keep_until IS NULL OR $2),
            last_error = coalesce(it.error, last_error)
          FROM unnest($3::uuid[], $4::integer[], $5::text[], $6::integer[],
                $7::timestamptz[], $8::timestamptz[], $9::text[])
            AS it (id, taken, state, attempts, due_at, keep_until, error)
         WHERE jobs.id = it.id AND jobs.taken = it.taken AND finished_at IS NULL";
    let verdicts = || settled.iter().map(|it| &it.verdict);
    let ids: Vec<Uuid> = settled.iter().map(|it| it.id).collect();
    let taken: Vec<i32> = settled.iter().map(|it| it.taken).collect();
    let states: Vec<&str> = verdicts().map(|it| it.state.name()).collect();
    let attempts: Vec<i32> = verdicts().map(|it| attempts(it.attempts)).collect();
    let due: Vec<Option<Timestamp>> = verdicts().map(|it| it.state.due_at()).collect();
    let kept: Vec<Option<Timestamp>> = verdicts().map(|it| it.state.keep_until()).collect();
    let errors: Vec<Option<&str>> = verdicts().map(|it| it.error.as_deref()).collect();
    let keeps_key = policy.unique == Unique::WhileKept;
    let params: crate::pg::Params<'_> = &[
        &now, &keeps_key, &ids, &taken, &states, &attempts, &due, &kept, &errors,
    ];
    db.execute(SQL, params).await
}

fn attempts(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}

/// Removes jobs that are done and not kept, but where another worker has taken one since.
pub(super) async fn remove(db: &impl Query, settled: &[&Settled]) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM jobs USING unnest($1::uuid[], $2::integer[]) AS it (id, taken)
        WHERE jobs.id = it.id AND jobs.taken = it.taken";
    let ids: Vec<Uuid> = settled.iter().map(|it| it.id).collect();
    let taken: Vec<i32> = settled.iter().map(|it| it.taken).collect();
    db.execute(SQL, &[&ids, &taken]).await
}

/// Marks a job as done, in the transaction of its handler; whether the handler still has it.
pub(super) async fn finish(
    tx: &Tx<'_>,
    id: Uuid,
    taken: i32,
    policy: &Policy,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE jobs SET state = 'done', finished_at = $3, keep_until = $4,
            holds_key = holds_key AND $5
        WHERE id = $1 AND taken = $2 AND finished_at IS NULL";
    let (keep_until, keeps_key) = (now + policy.keep_done, policy.unique == Unique::WhileKept);
    let touched = tx
        .execute(SQL, &[&id, &taken, &now, &keep_until, &keeps_key])
        .await?;
    Ok(touched == 1)
}

/// Removes finished jobs that have been kept long enough; how many.
pub(super) async fn remove_kept_until(
    db: &impl Query,
    now: Timestamp,
    at_most: i64,
) -> Result<u64, DbError> {
    const SQL: &str = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs
        WHERE finished_at IS NOT NULL AND keep_until <= $1
        ORDER BY keep_until LIMIT $2 FOR UPDATE SKIP LOCKED)";
    db.execute(SQL, &[&now, &at_most]).await
}

impl State {
    const fn due_at(self) -> Option<Timestamp> {
        match self {
            Self::Waiting(at) => Some(at),
            Self::Done(_) | Self::Late(_) | Self::Dead(_) => None,
        }
    }

    const fn keep_until(self) -> Option<Timestamp> {
        match self {
            Self::Waiting(_) => None,
            Self::Done(until) | Self::Late(until) | Self::Dead(until) => Some(until),
        }
    }
}
