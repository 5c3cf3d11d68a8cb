//! `drafts`

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row, Tx};
use uuid::Uuid;

/// A draft.
pub(crate) struct Draft {
    pub(crate) tag: Uuid,
    pub(crate) content: String,
    pub(crate) pictures: Vec<Uuid>,
}

/// A draft as it is listed.
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) key: String,
    pub(crate) tag: Uuid,
    pub(crate) bytes: i64,
    pub(crate) updated_at: Timestamp,
    pub(crate) conflicts: i64,
    /// Where it is shown to everybody.
    pub(crate) slug: Option<String>,
}

/// What is written of a draft.
pub(crate) struct Written<'a> {
    pub(crate) user_id: Uuid,
    pub(crate) key: &'a str,
    pub(crate) tag: Uuid,
    pub(crate) content: &'a str,
    pub(crate) pictures: &'a [Uuid],
}

/// One draft.
pub(crate) async fn find(
    db: &impl Query,
    user_id: Uuid,
    key: &str,
) -> Result<Option<Draft>, DbError> {
    const SQL: &str = "SELECT tag, content, pictures FROM drafts
        WHERE user_id = $1 AND key = $2";
    let row = db.row_opt(SQL, &[&user_id, &key]).await?;
    Ok(row.map(|row| Draft {
        tag: row.get("tag"),
        content: row.get("content"),
        pictures: row.get("pictures"),
    }))
}

/// How many drafts somebody has.
pub(crate) async fn count(tx: &Tx<'_>, user_id: Uuid) -> Result<i64, DbError> {
    const SQL: &str = "SELECT count(*) FROM drafts WHERE user_id = $1";
    Ok(tx.row(SQL, &[&user_id]).await?.get(0))
}

/// Adds a draft.
pub(crate) async fn insert(
    tx: &Tx<'_>,
    id: Uuid,
    it: &Written<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO drafts (id, user_id, key, tag, content, pictures, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params: halobestie_core::pg::Params<'_> = &[
        &id,
        &it.user_id,
        &it.key,
        &it.tag,
        &it.content,
        &it.pictures,
        &now,
    ];
    tx.execute(SQL, params).await.map(|_| ())
}

/// Replaces what a draft says.
pub(crate) async fn update(tx: &Tx<'_>, it: &Written<'_>, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "UPDATE drafts SET tag = $3, content = $4, pictures = $5, updated_at = $6
        WHERE user_id = $1 AND key = $2";
    let params: halobestie_core::pg::Params<'_> = &[
        &it.user_id,
        &it.key,
        &it.tag,
        &it.content,
        &it.pictures,
        &now,
    ];
    tx.execute(SQL, params).await.map(|_| ())
}

/// Deletes a draft.
pub(crate) async fn delete(tx: &Tx<'_>, user_id: Uuid, key: &str) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM drafts WHERE user_id = $1 AND key = $2";
    tx.execute(SQL, &[&user_id, &key]).await.map(|_| ())
}

/// Deletes all of somebody's.
pub(crate) async fn delete_all(tx: &Tx<'_>, user_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM drafts WHERE user_id = $1";
    tx.execute(SQL, &[&user_id]).await.map(|_| ())
}

/// Somebody's drafts, the latest made first, those made before `before`.
pub(crate) async fn list(
    db: &impl Query,
    user_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Listed>, DbError> {
    const SQL: &str = "
        SELECT id, key, tag, octet_length(content)::bigint AS bytes, updated_at,
               (SELECT count(*) FROM draft_conflicts c
                 WHERE c.user_id = d.user_id AND c.key = d.key) AS conflicts,
               (SELECT slug FROM publications p
                 WHERE p.user_id = d.user_id AND p.key = d.key AND p.is_public) AS slug
          FROM drafts d
         WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3";
    let rows = db.rows(SQL, &[&user_id, &before, &limit]).await?;
    Ok(rows.iter().map(listed).collect())
}

fn listed(row: &Row) -> Listed {
    Listed {
        id: row.get("id"),
        key: row.get("key"),
        tag: row.get("tag"),
        bytes: row.get("bytes"),
        updated_at: row.get("updated_at"),
        conflicts: row.get("conflicts"),
        slug: row.get("slug"),
    }
}
