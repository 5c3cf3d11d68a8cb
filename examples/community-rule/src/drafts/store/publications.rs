//! `publications`: one row a published draft.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row, Tx};
use uuid::Uuid;

/// A published draft.
pub(crate) struct Publication {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) is_public: bool,
}

/// One as it is listed, with its latest version.
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) key: String,
    pub(crate) slug: String,
    pub(crate) is_public: bool,
    pub(crate) version: i32,
    pub(crate) published_at: Timestamp,
}

/// The publication of a draft.
pub(crate) async fn find(
    db: &impl Query,
    user_id: Uuid,
    key: &str,
) -> Result<Option<Publication>, DbError> {
    const SQL: &str =
        "SELECT id, slug, is_public FROM publications WHERE user_id = $1 AND key = $2";
    let row = db.row_opt(SQL, &[&user_id, &key]).await?;
    Ok(row.map(|row| Publication {
        id: row.get("id"),
        slug: row.get("slug"),
        is_public: row.get("is_public"),
    }))
}

/// How many drafts somebody has published.
pub(crate) async fn count(tx: &Tx<'_>, user_id: Uuid) -> Result<i64, DbError> {
    const SQL: &str = "SELECT count(*) FROM publications WHERE user_id = $1";
    Ok(tx.row(SQL, &[&user_id]).await?.get(0))
}

/// A publication that is to be.
pub(crate) struct New<'a> {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) key: &'a str,
    pub(crate) slug: &'a str,
}

/// Adds one that is shown; false when the slug is taken.
pub(crate) async fn insert(tx: &Tx<'_>, new: &New<'_>, now: Timestamp) -> Result<bool, DbError> {
    const SQL: &str = "INSERT INTO publications (id, user_id, key, slug, is_public, created_at)
        VALUES ($1, $2, $3, $4, true, $5) ON CONFLICT (slug) DO NOTHING";
    let params: halobestie_core::pg::Params<'_> =
        &[&new.id, &new.user_id, &new.key, &new.slug, &now];
    Ok(tx.execute(SQL, params).await? == 1)
}

/// Shows it or hides it; whether there is one.
pub(crate) async fn set_public(
    db: &impl Query,
    user_id: Uuid,
    key: &str,
    is_public: bool,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE publications SET is_public = $3 WHERE user_id = $1 AND key = $2";
    Ok(db.execute(SQL, &[&user_id, &key, &is_public]).await? == 1)
}

/// Deletes all of somebody's, with their versions.
pub(crate) async fn delete_all(tx: &Tx<'_>, user_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM publications WHERE user_id = $1";
    tx.execute(SQL, &[&user_id]).await.map(|_| ())
}

/// Somebody's, the latest made first.
pub(crate) async fn list_of(
    db: &impl Query,
    user_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Listed>, DbError> {
    const SQL: &str = "
        SELECT id, key, slug, is_public, v.version, v.published_at
          FROM publications p
          JOIN LATERAL (SELECT version, published_at FROM publication_versions
                         WHERE publication_id = p.id ORDER BY version DESC LIMIT 1) v ON true
         WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3";
    let rows = db.rows(SQL, &[&user_id, &before, &limit]).await?;
    Ok(rows.iter().map(listed).collect())
}

/// Everybody's that are shown, the latest made first.
pub(crate) async fn list_public(
    db: &impl Query,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Listed>, DbError> {
    const SQL: &str = "
        SELECT id, key, slug, is_public, v.version, v.published_at
          FROM publications p
          JOIN LATERAL (SELECT version, published_at FROM publication_versions
                         WHERE publication_id = p.id ORDER BY version DESC LIMIT 1) v ON true
         WHERE is_public AND ($1::uuid IS NULL OR id < $1)
         ORDER BY id DESC LIMIT $2";
    let rows = db.rows(SQL, &[&before, &limit]).await?;
    Ok(rows.iter().map(listed).collect())
}

fn listed(row: &Row) -> Listed {
    Listed {
        id: row.get("id"),
        key: row.get("key"),
        slug: row.get("slug"),
        is_public: row.get("is_public"),
        version: row.get("version"),
        published_at: row.get("published_at"),
    }
}
