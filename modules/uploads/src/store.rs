//! All SQL of the module. One function a statement; transactions are the callers'.

use halobestie_core::Timestamp;
use halobestie_core::pg::{Db, DbError, Query, Row, Tx};
use halobestie_core::ports::{Attachment, AttachmentKind};
use uuid::Uuid;

use crate::content::Pixels;
use crate::files::FileName;

/// An upload as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) id: Uuid,
    pub(crate) owner_id: Uuid,
    pub(crate) kind: AttachmentKind,
    pub(crate) content_type: String,
    pub(crate) size: i64,
    pub(crate) pixels: Option<Pixels>,
    pub(crate) file_name: FileName,
    pub(crate) session_id: Option<Uuid>,
}

impl Upload {
    /// As people see it.
    pub(crate) fn attachment(&self) -> Attachment {
        Attachment {
            id: self.id,
            kind: self.kind,
            content_type: self.content_type.clone(),
            size: self.size,
            url: format!("/api/uploads/{}", self.id),
            width: self.pixels.map(|pixels| pixels.width),
            height: self.pixels.map(|pixels| pixels.height),
        }
    }
}

fn read(row: &Row) -> Result<Upload, DbError> {
    let side = |column| {
        let side: Option<i32> = row.get(column);
        side.and_then(|side| u32::try_from(side).ok())
    };
    let pixels = side("width").zip(side("height"));
    Ok(Upload {
        id: row.get("id"),
        owner_id: row.get("owner_id"),
        kind: AttachmentKind::parse(row.get("kind"))
            .ok_or(DbError::Content("an unknown kind of upload"))?,
        content_type: row.get("content_type"),
        size: row.get("size"),
        pixels: pixels.map(|(width, height)| Pixels { width, height }),
        file_name: file_name(row)?,
        session_id: row.get("session_id"),
    })
}

fn file_name(row: &Row) -> Result<FileName, DbError> {
    FileName::parse(row.get("file_name")).ok_or(DbError::Content("a file name that is none"))
}

/// Makes the uploads of one person follow each other until `tx` ends.
pub(crate) async fn lock_owner(tx: &Tx<'_>, owner_id: Uuid) -> Result<(), DbError> {
    const SQL: &str = "SELECT pg_advisory_xact_lock(hashtextextended('uploads:' || $1::uuid, 0))";
    tx.rows(SQL, &[&owner_id]).await.map(|_| ())
}

/// How many bytes somebody has uploaded since then.
pub(crate) async fn bytes_since(
    query: &impl Query,
    owner_id: Uuid,
    since: Timestamp,
) -> Result<i64, DbError> {
    const SQL: &str = "SELECT coalesce(sum(size), 0)::bigint FROM uploads
        WHERE owner_id = $1 AND created_at > $2";
    Ok(query.row(SQL, &[&owner_id, &since]).await?.get(0))
}

/// Writes an upload whose file is in its place.
pub(crate) async fn insert(tx: &Tx<'_>, it: &Upload, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO uploads
            (id, owner_id, kind, content_type, size, width, height, file_name, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    let width = it.pixels.map(|pixels| side(pixels.width));
    let height = it.pixels.map(|pixels| side(pixels.height));
    tx.execute(
        SQL,
        &[
            &it.id,
            &it.owner_id,
            &it.kind.as_str(),
            &it.content_type,
            &it.size,
            &width,
            &height,
            &it.file_name.as_str(),
            &now,
        ],
    )
    .await
    .map(|_| ())
}

/// One upload.
pub(crate) async fn find(db: &Db, id: Uuid) -> Result<Option<Upload>, DbError> {
    const SQL: &str = "SELECT * FROM uploads WHERE id = $1";
    db.row_opt(SQL, &[&id])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// Gives an upload of this person to a session; none where it is not theirs or went to another.
pub(crate) async fn attach(
    db: &Db,
    id: Uuid,
    owner_id: Uuid,
    session_id: Uuid,
    now: Timestamp,
) -> Result<Option<Upload>, DbError> {
    const SQL: &str = "UPDATE uploads
        SET session_id = $3, attached_at = coalesce(attached_at, $4)
        WHERE id = $1 AND owner_id = $2 AND (session_id IS NULL OR session_id = $3)
        RETURNING *";
    let row = db
        .row_opt(SQL, &[&id, &owner_id, &session_id, &now])
        .await?;
    row.as_ref().map(read).transpose()
}

/// Forgets uploads that were made before then and never sent; their files.
pub(crate) async fn delete_unsent(
    db: &Db,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<FileName>, DbError> {
    const SQL: &str = "DELETE FROM uploads WHERE id IN (
            SELECT id FROM uploads WHERE session_id IS NULL AND created_at < $1
            ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING file_name";
    let rows = db.rows(SQL, &[&before, &limit]).await?;
    rows.iter().map(file_name).collect()
}

/// Uploads that were sent before then, after an id, in the order of their ids.
pub(crate) async fn sent_before(
    db: &Db,
    after_id: Uuid,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<Uuid>, DbError> {
    const SQL: &str = "SELECT id FROM uploads WHERE id > $1 AND attached_at < $2
        ORDER BY id LIMIT $3";
    let rows = db.rows(SQL, &[&after_id, &before, &limit]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Forgets these uploads; their files.
pub(crate) async fn delete(db: &Db, ids: &[Uuid]) -> Result<Vec<FileName>, DbError> {
    const SQL: &str = "DELETE FROM uploads WHERE id = ANY($1) RETURNING file_name";
    let rows = db.rows(SQL, &[&ids]).await?;
    rows.iter().map(file_name).collect()
}

/// Those of these files that an upload has.
pub(crate) async fn known(db: &Db, names: &[FileName]) -> Result<Vec<FileName>, DbError> {
    const SQL: &str = "SELECT file_name FROM uploads WHERE file_name = ANY($1)";
    let names: Vec<&str> = names.iter().map(FileName::as_str).collect();
    let rows = db.rows(SQL, &[&names]).await?;
    rows.iter().map(file_name).collect()
}

/// The mark of this database; the first to ask makes it.
pub(crate) async fn mark(db: &Db, fresh: Uuid) -> Result<Uuid, DbError> {
    const SQL: &str = "WITH made AS (
            INSERT INTO upload_mark (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id
        )
        SELECT id FROM made UNION ALL SELECT id FROM upload_mark LIMIT 1";
    Ok(db.row(SQL, &[&fresh]).await?.get(0))
}
