//! `publication_versions`: what was shown, and when.

use halobestie_core::Timestamp;
use halobestie_core::pg::{DbError, Query, Row, Tx};
use uuid::Uuid;

/// A version.
pub(crate) struct Version {
    pub(crate) version: i32,
    pub(crate) tag: Uuid,
    pub(crate) content: String,
    pub(crate) published_at: Timestamp,
}

/// A version as it is listed.
pub(crate) struct Listed {
    pub(crate) version: i32,
    pub(crate) bytes: i64,
    pub(crate) published_at: Timestamp,
}

/// A version that is to be.
pub(crate) struct New<'a> {
    pub(crate) publication_id: Uuid,
    pub(crate) version: i32,
    pub(crate) tag: Uuid,
    pub(crate) content: &'a str,
    pub(crate) pictures: &'a [Uuid],
}

/// The latest of a publication.
pub(crate) async fn latest(tx: &Tx<'_>, publication_id: Uuid) -> Result<Option<Version>, DbError> {
    const SQL: &str = "SELECT version, tag, content, published_at FROM publication_versions
        WHERE publication_id = $1 ORDER BY version DESC LIMIT 1";
    let row = tx.row_opt(SQL, &[&publication_id]).await?;
    Ok(row.as_ref().map(version))
}

/// Adds one.
pub(crate) async fn insert(tx: &Tx<'_>, new: &New<'_>, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO publication_versions
            (publication_id, version, tag, content, pictures, published_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let params: halobestie_core::pg::Params<'_> = &[
        &new.publication_id,
        &new.version,
        &new.tag,
        &new.content,
        &new.pictures,
        &now,
    ];
    tx.execute(SQL, params).await.map(|_| ())
}

/// Deletes those up to this one.
pub(crate) async fn prune(tx: &Tx<'_>, publication_id: Uuid, up_to: i32) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM publication_versions
        WHERE publication_id = $1 AND version <= $2";
    tx.execute(SQL, &[&publication_id, &up_to])
        .await
        .map(|_| ())
}

/// A version that is shown under a slug: this one, or the latest.
pub(crate) async fn shown(
    db: &impl Query,
    slug: &str,
    number: Option<i32>,
) -> Result<Option<Version>, DbError> {
    const SQL: &str = "
        SELECT v.version, v.tag, v.content, v.published_at
          FROM publications p JOIN publication_versions v ON v.publication_id = p.id
         WHERE p.slug = $1 AND p.is_public AND ($2::integer IS NULL OR v.version = $2)
         ORDER BY v.version DESC LIMIT 1";
    let row = db.row_opt(SQL, &[&slug, &number]).await?;
    Ok(row.as_ref().map(version))
}

/// Those that are shown under a slug, the latest first.
pub(crate) async fn list(db: &impl Query, slug: &str) -> Result<Vec<Listed>, DbError> {
    const SQL: &str = "
        SELECT v.version, octet_length(v.content)::bigint AS bytes, v.published_at
          FROM publications p JOIN publication_versions v ON v.publication_id = p.id
         WHERE p.slug = $1 AND p.is_public ORDER BY v.version DESC";
    let rows = db.rows(SQL, &[&slug]).await?;
    let listed = rows.iter().map(|row| Listed {
        version: row.get("version"),
        bytes: row.get("bytes"),
        published_at: row.get("published_at"),
    });
    Ok(listed.collect())
}

fn version(row: &Row) -> Version {
    Version {
        version: row.get("version"),
        tag: row.get("tag"),
        content: row.get("content"),
        published_at: row.get("published_at"),
    }
}
