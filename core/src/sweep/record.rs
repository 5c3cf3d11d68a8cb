//! `sweep_runs`: what each sweep did last, on whatever replica.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::Sweep;
use crate::pg::{DbError, Query};
use crate::timestamp::Timestamp;

/// A sweep and its last run.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = sweep::Standing)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// From the end of a run to the start of the next, give or take a tenth.
    pub every_seconds: u64,
    /// Whether one replica at a time runs it; otherwise each worker does.
    pub alone: bool,
    /// When it last ran; null before its first time.
    pub last_run_at: Option<Timestamp>,
    /// How long that took.
    pub last_duration_ms: Option<i64>,
    /// What it did, or why it could not.
    pub last_result: Option<String>,
    /// When it is to run again, about.
    pub next_run_at: Option<Timestamp>,
}

/// Keeps what a run did.
///
/// # Errors
/// When Postgres does not answer.
pub(super) async fn keep(
    db: &impl Query,
    sweep: &Sweep,
    at: Timestamp,
    took: Duration,
    result: &str,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO sweep_runs
            (name, every_seconds, last_run_at, last_duration_ms, last_result, next_run_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO UPDATE SET
            every_seconds = excluded.every_seconds, last_run_at = excluded.last_run_at,
            last_duration_ms = excluded.last_duration_ms, last_result = excluded.last_result,
            next_run_at = excluded.next_run_at";
    let duration_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    let (every, next) = (sweep.every.as_secs_f64(), at + sweep.every);
    let params: crate::pg::Params<'_> = &[&sweep.name, &every, &at, &duration_ms, &result, &next];
    db.execute(SQL, params).await?;
    Ok(())
}

/// These sweeps with their last runs, by name.
///
/// # Errors
/// When Postgres does not answer.
pub(super) async fn standings(db: &impl Query, sweeps: &[Sweep]) -> Result<Vec<Standing>, DbError> {
    const SQL: &str = "SELECT name, last_run_at, last_duration_ms, last_result, next_run_at
        FROM sweep_runs";
    let rows = db.rows(SQL, &[]).await?;
    let rows: HashMap<&str, _> = rows.iter().map(|row| (row.get("name"), row)).collect();
    let mut standings: Vec<Standing> = sweeps
        .iter()
        .map(|sweep| {
            let row = rows.get(sweep.name);
            Standing {
                name: sweep.name.to_owned(),
                every_seconds: sweep.every.as_secs(),
                alone: sweep.alone,
                last_run_at: row.and_then(|row| row.get("last_run_at")),
                last_duration_ms: row.and_then(|row| row.get("last_duration_ms")),
                last_result: row.and_then(|row| row.get("last_result")),
                next_run_at: row.and_then(|row| row.get("next_run_at")),
            }
        })
        .collect();
    standings.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(standings)
}
