//! `POST /api/uploads`

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::ports::Attachment;
use tracing::warn;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::UploadError;
use crate::files::{FileName, Files};
use crate::incoming::{self, Arrived};
use crate::state::State;
use crate::store::{self, Upload};

/// What one person may upload is counted over this time.
const QUOTA_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// The form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct UploadForm {
    /// The picture or recording.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Upload a picture or a recording
///
/// Its part of the form is called `file`. JPEG, PNG, WebP, GIF; MP3, M4A, AAC, Ogg, WebM, WAV, AMR: what
/// it is, is found in its bytes, and at most 10 MiB, a picture at most 64 megapixels. It is yours alone
/// until a message carries it by `attachment_id`; then the two people of that session may read it.
/// What no message carries is deleted after a day.
#[utoipa::path(
    post, path = "/api/uploads", tag = "uploads", security(("bearer" = [])),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "Kept", body = Attachment),
        (status = 400, description = "`malformed_form`"),
        (status = 413, description = "`body_too_large`"),
        (status = 415, description = "`unsupported_media_type`: no form, or a file of another kind"),
        (status = 422, description = "`validation_failed`: no file, or a picture too large to be looked at"),
        (status = 429, description = "`rate_limited`: UPLOAD_USER_DAILY_BYTES, or three at once"),
        (status = 503, description = "`server_misconfigured`: UPLOAD_ROOT is not set"),
    ),
)]
pub(crate) async fn create(state: Arc<State>, mut req: Request) -> Reply {
    let owner_id = req.caller()?.user_id;
    let files = state.files()?;
    let _slot = state.slots.take(owner_id)?;
    // Looked at again when it is counted; who has no room at all need not send anything.
    has_room(&state, owner_id, 1).await?;
    let mut form = incoming::open(&mut req)?;
    let file = incoming::find_file(&mut form).await?;
    let name = FileName::fresh(&state.entropy);
    let draft = files.begin(name).await.map_err(UploadError::Disk)?;
    let arrived = incoming::receive(file, draft).await?;
    let upload = keep(&state, files, owner_id, arrived).await?;
    reply::created(&upload.attachment())
}

async fn has_room(state: &State, owner_id: Uuid, bytes: i64) -> Result<(), UploadError> {
    let since = state.clock.now() - QUOTA_WINDOW;
    let before = store::bytes_since(&state.db, owner_id, since).await?;
    fits(state, before, bytes)
}

fn fits(state: &State, before: i64, bytes: i64) -> Result<(), UploadError> {
    let total = u64::try_from(before.saturating_add(bytes)).unwrap_or(u64::MAX);
    if total > state.user_daily_bytes {
        return Err(UploadError::QuotaReached);
    }
    Ok(())
}

/// Puts the file in its place and then writes the row: a crash in between leaves a file that is swept,
/// never a row without its file.
async fn keep(
    state: &State,
    files: &Files,
    owner_id: Uuid,
    arrived: Arrived,
) -> Result<Upload, Problem> {
    let Arrived {
        draft,
        content_type,
        size,
        pixels,
    } = arrived;
    let upload = Upload {
        id: state.entropy.uuid(&state.clock),
        owner_id,
        kind: content_type.kind,
        content_type: content_type.name.to_owned(),
        size,
        pixels,
        file_name: draft.keep().await.map_err(UploadError::Disk)?,
        session_id: None,
    };
    match count(state, &upload).await {
        // Whether the row was written is unknown where Postgres did not answer: then the file stays, and
        // the sweep finds out.
        Err(UploadError::QuotaReached) => {
            if let Err(cause) = files.remove(&upload.file_name).await {
                let error = &cause as &dyn std::error::Error;
                warn!(error, "a refused upload is left for the sweep");
            }
            Err(UploadError::QuotaReached.into())
        }
        counted => Ok(counted.map(|()| upload)?),
    }
}

/// Writes the row, if the person still has room: one upload after the other, on all replicas.
async fn count(state: &State, upload: &Upload) -> Result<(), UploadError> {
    let now = state.clock.now();
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    store::lock_owner(&tx, upload.owner_id).await?;
    let before = store::bytes_since(&tx, upload.owner_id, now - QUOTA_WINDOW).await?;
    fits(state, before, upload.size)?;
    store::insert(&tx, upload, now).await?;
    Ok(tx.commit().await?)
}
