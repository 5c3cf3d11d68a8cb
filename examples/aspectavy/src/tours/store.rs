//! All SQL of the module. One function a statement; transactions are the callers'.

use halobestie_core::Timestamp;
use halobestie_core::pg::{Db, DbError, Query, Row, Tx};
use serde_json::Value;
use uuid::Uuid;

use super::finalising::Summary;
use crate::track::Point;

/// Tours of one person at most.
pub(super) const TOURS_MAX: i64 = 500;

/// A tour without its points.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) id: Uuid,
    pub(super) started_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) summary: Option<Summary>,
}

/// A place, and when somebody passed it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed {
    pub(super) at: Timestamp,
    pub(super) point: Point,
}

/// Begins a tour, unless its owner records so many already; whether it did.
pub(super) async fn begin(
    tx: &Tx<'_>,
    id: Uuid,
    owner_id: Uuid,
    now: Timestamp,
    most: i64,
) -> Result<bool, DbError> {
    const SQL: &str = "INSERT INTO tours (id, owner_id, started_at)
        SELECT $1, $2, $3
        WHERE (SELECT count(*) FROM tours WHERE owner_id = $2 AND ended_at IS NULL) < $4";
    Ok(tx.execute(SQL, &[&id, &owner_id, &now, &most]).await? == 1)
}

/// Makes the beginnings of one person follow each other until `tx` ends.
pub(super) async fn lock_owner(tx: &Tx<'_>, owner_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "SELECT pg_advisory_xact_lock(hashtextextended('tours:' || $1::uuid, 0))";
    tx.rows(SQL, &[&owner_id]).await.map(|_| ())
}

/// How many tours somebody has.
pub(super) async fn count_of(tx: &Tx<'_>, owner_id: Uuid) -> Result<i64, DbError> {
    const SQL: &str = "SELECT count(*) FROM tours WHERE owner_id = $1";
    Ok(tx.row(SQL, &[&owner_id]).await?.get(0))
}

/// A tour of this person.
pub(super) async fn find(db: &Db, id: Uuid, owner_id: Uuid) -> Result<Option<Stored>, DbError> {
    const SQL: &str = "SELECT id, started_at, ended_at, summary FROM tours
        WHERE id = $1 AND owner_id = $2";
    let row = db.row_opt(SQL, &[&id, &owner_id]).await?;
    row.as_ref().map(read).transpose()
}

/// Tours of this person before an id, the newest first.
pub(super) async fn list(
    db: &Db,
    owner_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Stored>, DbError> {
    const SQL: &str = "SELECT id, started_at, ended_at, summary FROM tours
        WHERE owner_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    let rows = db.rows(SQL, &[&owner_id, &before, &limit]).await?;
    rows.iter().map(read).collect()
}

/// One of them, locked until `tx` ends: points and the end of a tour follow each other.
pub(super) async fn lock(tx: &Tx<'_>, id: Uuid, owner_id: Uuid) -> Result<Option<Stored>, DbError> {
    const SQL: &str = "SELECT id, started_at, ended_at, summary FROM tours
        WHERE id = $1 AND owner_id = $2 FOR UPDATE";
    let row = tx.row_opt(SQL, &[&id, &owner_id]).await?;
    row.as_ref().map(read).transpose()
}

/// Adds points; those of a time that is known already are left out.
pub(super) async fn add(tx: &Tx<'_>, tour_id: Uuid, passed: &[Passed]) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO tour_points (tour_id, at, latitude, longitude, elevation_m)
        SELECT $1, * FROM unnest($2::timestamptz[], $3::float8[], $4::float8[], $5::float8[])
        ON CONFLICT DO NOTHING";
    let ats: Vec<Timestamp> = passed.iter().map(|it| it.at).collect();
    let latitudes: Vec<f64> = passed.iter().map(|it| it.point.latitude).collect();
    let longitudes: Vec<f64> = passed.iter().map(|it| it.point.longitude).collect();
    let elevations: Vec<Option<f64>> = passed.iter().map(|it| it.point.elevation_m).collect();
    tx.execute(SQL, &[&tour_id, &ats, &latitudes, &longitudes, &elevations])
        .await
        .map(|_| ())
}

/// How many points a tour has.
pub(super) async fn count(tx: &Tx<'_>, tour_id: Uuid) -> Result<i64, DbError> {
    const SQL: &str = "SELECT count(*) FROM tour_points WHERE tour_id = $1";
    Ok(tx.row(SQL, &[&tour_id]).await?.get(0))
}

/// Ends a tour.
pub(super) async fn end(tx: &Tx<'_>, id: Uuid, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "UPDATE tours SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    tx.execute(SQL, &[&id, &now]).await.map(|_| ())
}

/// Whether a tour has ended and has no summary yet.
pub(super) async fn is_owed(db: &Db, id: Uuid) -> Result<bool, DbError> {
    const SQL: &str = "SELECT 1 FROM tours
        WHERE id = $1 AND ended_at IS NOT NULL AND finalised_at IS NULL";
    Ok(db.row_opt(SQL, &[&id]).await?.is_some())
}

/// The points of a tour in the order of their times.
pub(super) async fn points(db: &Db, tour_id: Uuid) -> Result<Vec<Passed>, DbError> {
    const SQL: &str = "SELECT at, latitude, longitude, elevation_m FROM tour_points
        WHERE tour_id = $1 ORDER BY at";
    let rows = db.rows(SQL, &[&tour_id]).await?;
    rows.iter().map(read_point).collect()
}

/// Keeps a summary; the first stays. Whether this is it.
pub(super) async fn keep(
    db: &Db,
    id: Uuid,
    summary: &Summary,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE tours SET finalised_at = $2, summary = $3
        WHERE id = $1 AND finalised_at IS NULL";
    let summary = serde_json::to_value(summary)
        .map_err(|_| DbError::Content("a summary cannot be written as JSON"))?;
    Ok(db.execute(SQL, &[&id, &now, &summary]).await? == 1)
}

/// Forgets a tour of this person with its points; whether there was one.
pub(super) async fn delete(db: &Db, id: Uuid, owner_id: Uuid) -> Result<bool, DbError> {
    const SQL: &str = "DELETE FROM tours WHERE id = $1 AND owner_id = $2";
    Ok(db.execute(SQL, &[&id, &owner_id]).await? == 1)
}

/// Forgets all tours of somebody.
pub(super) async fn delete_all(tx: &Tx<'_>, owner_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM tours WHERE owner_id = $1";
    tx.execute(SQL, &[&owner_id]).await.map(|_| ())
}

fn read(row: &Row) -> Result<Stored, DbError> {
    let summary: Option<Value> = row.get("summary");
    let summary = summary.map(serde_json::from_value).transpose();
    Ok(Stored {
        id: row.get("id"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
        summary: summary.map_err(|_| DbError::Content("a stored summary that is none"))?,
    })
}

fn read_point(row: &Row) -> Result<Passed, DbError> {
    let (latitude, longitude) = (row.get("latitude"), row.get("longitude"));
    let point = Point::new(latitude, longitude, row.get("elevation_m"));
    Ok(Passed {
        at: row.get("at"),
        point: point.ok_or(DbError::Content("a stored point outside of this planet"))?,
    })
}
