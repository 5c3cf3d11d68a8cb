//! Which uploads are named, over all tables that name them.

use halobestie_core::pg::{DbError, Query};
use uuid::Uuid;

/// Those of these uploads that a draft, a refused version or a published one names.
pub(crate) async fn named(db: &impl Query, ids: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    // By a name that none of the tables has for a column of its own.
    const SQL: &str = "
        SELECT upload_id FROM unnest($1::uuid[]) AS asked (upload_id)
         WHERE EXISTS (SELECT FROM drafts WHERE pictures @> ARRAY[upload_id])
            OR EXISTS (SELECT FROM draft_conflicts WHERE pictures @> ARRAY[upload_id])
            OR EXISTS (SELECT FROM publication_versions WHERE pictures @> ARRAY[upload_id])";
    let rows = db.rows(SQL, &[&ids]).await?;
    Ok(rows.iter().map(|row| row.get("upload_id")).collect())
}
