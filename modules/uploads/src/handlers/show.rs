//! `GET /api/uploads/{id}`

use std::io::SeekFrom;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream::try_unfold;
use halobestie_core::Problem;
use halobestie_core::http::{Body, Reply, Request, Response};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, IF_RANGE, RANGE, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tracing::error;
use uuid::Uuid;

use crate::content::extension;
use crate::error::UploadError;
use crate::range::{self, Asked};
use crate::state::State;
use crate::store::{self, Upload};

/// How much is read from the disk at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Read an upload
///
/// For whoever uploaded it, and once a message carries it, for the two people of that session: a mitra
/// that has handed the session on reads only its own. It never changes, so it may be kept; one range is
/// understood.
#[utoipa::path(
    get, path = "/api/uploads/{id}", tag = "uploads", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The attachment's id")),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = 206, description = "The range that was asked for", content_type = "application/octet-stream"),
        (status = 304, description = "The caller has it, by `If-None-Match`"),
        (status = 404, description = "`not_found`, also for somebody else's"),
        (status = 416, description = "`range_not_satisfiable`"),
        (status = 503, description = "`server_misconfigured`: UPLOAD_ROOT is not set"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let (id, caller): (Uuid, _) = (req.param("id")?, req.caller()?);
    let files = state.files()?;
    let upload = store::find(&state.db, id).await?;
    let upload = upload.ok_or(UploadError::NotFound)?;
    if !may_read(&state, &upload, caller.user_id).await? {
        return Err(UploadError::NotFound.into());
    }
    let etag = format!("\"{id}\"");
    if names(&req, IF_NONE_MATCH, &etag) {
        let mut response = response(&upload, &etag, Body::empty())?;
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    let (file, size) = match files.open(&upload.file_name).await {
        Ok((file, size)) if i64::try_from(size) == Ok(upload.size) => (file, size),
        Ok(_) => return Err(lost(id, None)),
        Err(cause) => return Err(lost(id, Some(cause))),
    };
    // A range of something else than what the caller has a part of would not fit to it.
    let is_same = !req.headers().contains_key(IF_RANGE) || names(&req, IF_RANGE, &etag);
    let header = req.header(RANGE.as_str()).filter(|_| is_same);
    match range::read(header, size) {
        Asked::All => send(&upload, &etag, file, 0..size),
        Asked::Part(part) => send_part(&upload, &etag, file, part).await,
        Asked::Beyond => Err(UploadError::Range.into()),
    }
}

async fn may_read(state: &State, upload: &Upload, user_id: Uuid) -> Result<bool, UploadError> {
    if upload.owner_id == user_id {
        return Ok(true);
    }
    match (upload.session_id, state.conversations()) {
        (Some(session_id), Some(conversations)) => {
            Ok(conversations.is_side(session_id, user_id).await?)
        }
        _ => Ok(false),
    }
}

/// A row whose file is gone or cut short: nothing that a client could mend.
fn lost(id: Uuid, cause: Option<std::io::Error>) -> Problem {
    let cause = cause.as_ref().map(|cause| cause as &dyn std::error::Error);
    error!(upload.id = %id, error = cause, "the file of an upload cannot be read");
    UploadError::NotFound.into()
}

fn names(req: &Request, header: HeaderName, etag: &str) -> bool {
    let listed = req.header(header.as_str()).unwrap_or_default();
    let mut tags = listed.split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

async fn send_part(upload: &Upload, etag: &str, mut file: File, part: Range<u64>) -> Reply {
    file.seek(SeekFrom::Start(part.start))
        .await
        .map_err(UploadError::Disk)?;
    let told = format!("bytes {}-{}/{}", part.start, part.end - 1, upload.size);
    let mut response = send(upload, etag, file, part)?;
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let told = HeaderValue::try_from(told).map_err(Problem::internal)?;
    response.headers_mut().insert(CONTENT_RANGE, told);
    Ok(response)
}

fn send(upload: &Upload, etag: &str, file: File, part: Range<u64>) -> Reply {
    let length = part.end - part.start;
    let pieces = try_unfold((file, length), |(mut file, left)| async move {
        let piece = next_piece(&mut file, left).await?;
        let left = left.saturating_sub(u64::try_from(piece.len()).unwrap_or(left));
        let more = (!piece.is_empty()).then(|| (Frame::data(piece), (file, left)));
        Ok::<_, std::io::Error>(more)
    });
    let mut response = response(upload, etag, Body::stream(StreamBody::new(pieces)))?;
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    Ok(response)
}

async fn next_piece(file: &mut File, left: u64) -> std::io::Result<Bytes> {
    let mut piece = BytesMut::with_capacity(PIECE_BYTES);
    file.take(left).read_buf(&mut piece).await?;
    Ok(piece.freeze())
}

/// What every answer says: nobody is to guess another type, show it as a page of ours, or share it.
fn response(upload: &Upload, etag: &str, body: Body) -> Reply {
    let name = format!(
        "attachment; filename=\"{}.{}\"",
        upload.id,
        extension(&upload.content_type)
    );
    let told = [
        (CONTENT_TYPE, upload.content_type.as_str()),
        (CONTENT_DISPOSITION, &name),
        (ETAG, etag),
        (CACHE_CONTROL, "private, max-age=86400, immutable"),
        // Where another person signs in by the same browser, what it has kept is not theirs.
        (VARY, "cookie"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (ACCEPT_RANGES, "bytes"),
    ];
    let mut response = Response::new(body);
    for (header, value) in told {
        let value = HeaderValue::try_from(value).map_err(Problem::internal)?;
        response.headers_mut().insert(header, value);
    }
    Ok(response)
}
