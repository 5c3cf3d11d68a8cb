//! `draft_conflicts`: versions that were refused because the draft had changed.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Tx};
use uuid::Uuid;

use super::drafts::Written;

/// A refused version as it is listed.
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) bytes: i64,
    pub(crate) created_at: Timestamp,
}

/// A refused version of a draft that says exactly this, if there is one.
pub(crate) async fn find_same(
    tx: &Tx<'_>,
    user_id: Uuid,
    key: &str,
    content: &str,
) -> Result<Option<Uuid>, DbError> {
    const SQL: &str = "SELECT id FROM draft_conflicts
        WHERE user_id = $1 AND key = $2 AND content = $3 ORDER BY id DESC LIMIT 1";
    let row = tx.row_opt(SQL, &[&user_id, &key, &content]).await?;
    Ok(row.map(|row| row.get("id")))
}

/// Adds one; its tag is its id.
pub(crate) async fn insert(tx: &Tx<'_>, it: &Written<'_>, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str =
        "INSERT INTO draft_conflicts (id, user_id, key, content, pictures, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let params: halobestie_core::pg::Params<'_> = &[
        &it.tag,
        &it.user_id,
        &it.key,
        &it.content,
        &it.pictures,
        &now,
    ];
    tx.execute(SQL, params).await.map(|_| ())
}

/// Deletes all of a draft's but the latest.
pub(crate) async fn prune(tx: &Tx<'_>, user_id: Uuid, key: &str, kept: i64) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM draft_conflicts WHERE user_id = $1 AND key = $2 AND id NOT IN (
        SELECT id FROM draft_conflicts WHERE user_id = $1 AND key = $2 ORDER BY id DESC LIMIT $3)";
    tx.execute(SQL, &[&user_id, &key, &kept]).await.map(|_| ())
}

/// Of how many drafts of somebody versions are kept, other than of this one.
pub(crate) async fn count_others(tx: &Tx<'_>, user_id: Uuid, key: &str) -> Result<i64, DbError> {
    const SQL: &str = "SELECT count(DISTINCT key) FROM draft_conflicts
        WHERE user_id = $1 AND key <> $2";
    Ok(tx.row(SQL, &[&user_id, &key]).await?.get(0))
}

/// Those of a draft, the latest first.
pub(crate) async fn list(
    db: &impl Query,
    user_id: Uuid,
    key: &str,
) -> Result<Vec<Listed>, DbError> {
    const SQL: &str = "SELECT id, octet_length(content)::bigint AS bytes, created_at
        FROM draft_conflicts WHERE user_id = $1 AND key = $2 ORDER BY id DESC";
    let rows = db.rows(SQL, &[&user_id, &key]).await?;
    let listed = rows.iter().map(|row| Listed {
        id: row.get("id"),
        bytes: row.get("bytes"),
        created_at: row.get("created_at"),
    });
    Ok(listed.collect())
}

/// What one says.
pub(crate) async fn find(
    db: &impl Query,
    user_id: Uuid,
    key: &str,
    id: Uuid,
) -> Result<Option<String>, DbError> {
    const SQL: &str = "SELECT content FROM draft_conflicts
        WHERE user_id = $1 AND key = $2 AND id = $3";
    let row = db.row_opt(SQL, &[&user_id, &key, &id]).await?;
    Ok(row.map(|row| row.get("content")))
}

/// Deletes one; whether it was there.
pub(crate) async fn delete(
    db: &impl Query,
    user_id: Uuid,
    key: &str,
    id: Uuid,
) -> Result<bool, DbError> {
    const SQL: &str = "DELETE FROM draft_conflicts WHERE user_id = $1 AND key = $2 AND id = $3";
    Ok(db.execute(SQL, &[&user_id, &key, &id]).await? == 1)
}

/// Deletes all of a draft.
pub(crate) async fn delete_of(tx: &Tx<'_>, user_id: Uuid, key: &str) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM draft_conflicts WHERE user_id = $1 AND key = $2";
    tx.execute(SQL, &[&user_id, &key]).await.map(|_| ())
}

/// Deletes all of somebody's.
pub(crate) async fn delete_all(tx: &Tx<'_>, user_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM draft_conflicts WHERE user_id = $1";
    tx.execute(SQL, &[&user_id]).await.map(|_| ())
}
