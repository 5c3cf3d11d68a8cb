//! All SQL of the module. One function a statement.

use halobestie_core::Timestamp;
use halobestie_core::pg::{Db, DbError, Query, Row};
use serde_json::Value;

use super::bulletin::Bulletin;
use super::feed::Validators;

/// What is known of a region.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) region: String,
    pub(super) bulletin: Bulletin,
    /// When it came.
    pub(super) fetched_at: Timestamp,
    /// When the feed last said that it holds.
    pub(super) checked_at: Timestamp,
}

/// A turn to ask the feed for a region. Nobody else has one until its lease ends.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) region: String,
    pub(super) known: Validators,
    pub(super) failures: i32,
    number: i64,
}

/// Makes room for regions that are new; due at once.
pub(super) async fn add(db: &Db, regions: &[String], now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO forecast_regions (region, due_at)
        SELECT region, $2 FROM unnest($1::text[]) AS region
        ON CONFLICT (region) DO NOTHING";
    db.execute(SQL, &[&regions, &now]).await.map(|_| ())
}

/// Takes the turn that has been due for longest, if one is.
pub(super) async fn take_turn(
    db: &Db,
    regions: &[String],
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Turn>, DbError> {
    const SQL: &str = "UPDATE forecast_regions SET due_at = $3, asked_until = $3, turn = turn + 1
        WHERE region = (
            SELECT region FROM forecast_regions WHERE region = ANY($1) AND due_at <= $2
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING region, etag, last_modified, failures, turn";
    let row = db.row_opt(SQL, &[&regions, &now, &lease_until]).await?;
    Ok(row.map(|row| Turn {
        region: row.get("region"),
        known: Validators {
            etag: row.get("etag"),
            last_modified: row.get("last_modified"),
        },
        failures: row.get("failures"),
        number: row.get("turn"),
    }))
}

/// Whether somebody has the turn of a region, so that there may be a forecast in a moment.
pub(super) async fn is_asked(db: &Db, region: &str, now: Timestamp) -> Result<bool, DbError> {
    const SQL: &str = "SELECT 1 FROM forecast_regions WHERE region = $1 AND asked_until > $2";
    Ok(db.row_opt(SQL, &[&region, &now]).await?.is_some())
}

/// Ends a turn with another forecast.
pub(super) async fn replace(
    db: &Db,
    turn: &Turn,
    (bulletin, validators): (&Bulletin, &Validators),
    now: Timestamp,
    due_at: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE forecast_regions
        SET bulletin = $3, etag = $4, last_modified = $5, fetched_at = $6, checked_at = $6,
            due_at = $7, asked_until = NULL, failures = 0
        WHERE region = $1 AND turn = $2";
    let bulletin = serde_json::to_value(bulletin)
        .map_err(|_| DbError::Content("a forecast cannot be written as JSON"))?;
    let (etag, last_modified) = (&validators.etag, &validators.last_modified);
    db.execute(
        SQL,
        &[
            &turn.region,
            &turn.number,
            &bulletin,
            etag,
            last_modified,
            &now,
            &due_at,
        ],
    )
    .await
    .map(|_| ())
}

/// Ends a turn: what we have still holds.
pub(super) async fn confirm(
    db: &Db,
    turn: &Turn,
    now: Timestamp,
    due_at: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE forecast_regions
        SET checked_at = $3, due_at = $4, asked_until = NULL, failures = 0
        WHERE region = $1 AND turn = $2 AND bulletin IS NOT NULL";
    db.execute(SQL, &[&turn.region, &turn.number, &now, &due_at])
        .await
        .map(|_| ())
}

/// Ends a turn with nothing: what we have stays.
pub(super) async fn fail(db: &Db, turn: &Turn, due_at: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "UPDATE forecast_regions
        SET due_at = $3, asked_until = NULL, failures = failures + 1
        WHERE region = $1 AND turn = $2";
    db.execute(SQL, &[&turn.region, &turn.number, &due_at])
        .await
        .map(|_| ())
}

/// What is stored of these regions, in the order of their names; those without a forecast are absent.
pub(super) async fn find(db: &Db, regions: &[String]) -> Result<Vec<Stored>, DbError> {
    const SQL: &str = "SELECT region, bulletin, fetched_at, checked_at FROM forecast_regions
        WHERE region = ANY($1) AND bulletin IS NOT NULL ORDER BY region";
    let rows = db.rows(SQL, &[&regions]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Stored, DbError> {
    let bulletin: Value = row.get("bulletin");
    Ok(Stored {
        region: row.get("region"),
        bulletin: serde_json::from_value(bulletin)
            .map_err(|_| DbError::Content("a stored forecast that is none"))?,
        fetched_at: row.get("fetched_at"),
        checked_at: row.get("checked_at"),
    })
}
