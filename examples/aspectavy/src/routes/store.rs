//! All SQL of the module. One function a statement; transactions are the callers'.

use halobestie_core::Timestamp;
use halobestie_core::pg::{Db, DbError, Query, Row, Tx};
use serde_json::Value;
use uuid::Uuid;

use super::compiling::{Card, Outcome};

/// Routes of one person at most.
pub(super) const ROUTES_MAX: i64 = 500;

/// A route without its file.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) id: Uuid,
    pub(super) created_at: Timestamp,
    pub(super) is_compiled: bool,
    pub(super) card: Option<Card>,
    /// What is wrong with the file.
    pub(super) problem: Option<String>,
}

/// A file that was sent.
pub(super) struct NewRoute<'a> {
    pub(super) id: Uuid,
    pub(super) owner_id: Uuid,
    pub(super) gpx: &'a [u8],
    pub(super) sha256: &'a [u8],
}

/// Makes the uploads of one person follow each other until `tx` ends.
pub(super) async fn lock_owner(tx: &Tx<'_>, owner_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "SELECT pg_advisory_xact_lock(hashtextextended('routes:' || $1::uuid, 0))";
    tx.rows(SQL, &[&owner_id]).await.map(|_| ())
}

/// How many routes somebody has.
pub(super) async fn count(tx: &Tx<'_>, owner_id: Uuid) -> Result<i64, DbError> {
    const SQL: &str = "SELECT count(*) FROM routes WHERE owner_id = $1";
    Ok(tx.row(SQL, &[&owner_id]).await?.get(0))
}

/// The route that somebody has of this file.
pub(super) async fn same(
    tx: &Tx<'_>,
    owner_id: Uuid,
    sha256: &[u8],
) -> Result<Option<Stored>, DbError> {
    const SQL: &str = "SELECT id, created_at, compiled_at, card, problem FROM routes
        WHERE owner_id = $1 AND gpx_sha256 = $2";
    let row = tx.row_opt(SQL, &[&owner_id, &sha256]).await?;
    row.as_ref().map(read).transpose()
}

/// Keeps a file.
pub(super) async fn insert(tx: &Tx<'_>, it: &NewRoute<'_>, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO routes (id, owner_id, gpx, gpx_sha256, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    let NewRoute {
        id,
        owner_id,
        gpx,
        sha256,
    } = it;
    tx.execute(SQL, &[id, owner_id, gpx, sha256, &now])
        .await
        .map(|_| ())
}

/// The file of a route that is not compiled yet.
pub(super) async fn uncompiled(db: &Db, id: Uuid) -> Result<Option<Vec<u8>>, DbError> {
    const SQL: &str = "SELECT gpx FROM routes WHERE id = $1 AND compiled_at IS NULL";
    Ok(db.row_opt(SQL, &[&id]).await?.map(|row| row.get(0)))
}

/// Keeps what a file comes to; the first stays. Whether this is it.
pub(super) async fn keep(
    db: &Db,
    id: Uuid,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE routes SET compiled_at = $2, card = $3, problem = $4
        WHERE id = $1 AND compiled_at IS NULL";
    let card = outcome.as_ref().ok().map(serde_json::to_value).transpose();
    let card = card.map_err(|_| DbError::Content("a card cannot be written as JSON"))?;
    let problem = outcome.as_ref().err().map(ToString::to_string);
    Ok(db.execute(SQL, &[&id, &now, &card, &problem]).await? == 1)
}

/// A route of this person.
pub(super) async fn find(db: &Db, id: Uuid, owner_id: Uuid) -> Result<Option<Stored>, DbError> {
    const SQL: &str = "SELECT id, created_at, compiled_at, card, problem FROM routes
        WHERE id = $1 AND owner_id = $2";
    let row = db.row_opt(SQL, &[&id, &owner_id]).await?;
    row.as_ref().map(read).transpose()
}

/// Routes of this person before an id, the newest first.
pub(super) async fn list(
    db: &Db,
    owner_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Stored>, DbError> {
    const SQL: &str = "SELECT id, created_at, compiled_at, card, problem FROM routes
        WHERE owner_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    let rows = db.rows(SQL, &[&owner_id, &before, &limit]).await?;
    rows.iter().map(read).collect()
}

/// Forgets a route of this person; whether there was one.
pub(super) async fn delete(db: &Db, id: Uuid, owner_id: Uuid) -> Result<bool, DbError> {
    const SQL: &str = "DELETE FROM routes WHERE id = $1 AND owner_id = $2";
    Ok(db.execute(SQL, &[&id, &owner_id]).await? == 1)
}

/// Forgets all routes of somebody.
pub(super) async fn delete_all(tx: &Tx<'_>, owner_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM routes WHERE owner_id = $1";
    tx.execute(SQL, &[&owner_id]).await.map(|_| ())
}

fn read(row: &Row) -> Result<Stored, DbError> {
    let card: Option<Value> = row.get("card");
    let card = card.map(serde_json::from_value).transpose();
    Ok(Stored {
        id: row.get("id"),
        created_at: row.get("created_at"),
        is_compiled: row.get::<_, Option<Timestamp>>("compiled_at").is_some(),
        card: card.map_err(|_| DbError::Content("a stored card that is none"))?,
        problem: row.get("problem"),
    })
}
