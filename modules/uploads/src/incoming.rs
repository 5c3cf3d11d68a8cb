//! A form on its way in: its file is written to the disk piece by piece, known by its bytes, and
//! measured, before anything is said about it.

use bytes::Bytes;
use halobestie_core::Problem;
use halobestie_core::http::Request;
use halobestie_core::http::request::BodyError;
use halobestie_core::ports::AttachmentKind;
use halobestie_core::problem::codes;
use multer::{Field, Multipart};

use crate::content::{self, BadPicture, ContentType, HEAD_BYTES, Pixels};
use crate::error::UploadError;
use crate::files::Draft;

/// The largest file.
pub(crate) const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// The part that holds it.
const PART: &str = "file";

/// A file that is complete and not kept yet.
pub(crate) struct Arrived {
    pub(crate) draft: Draft,
    pub(crate) content_type: &'static ContentType,
    pub(crate) size: i64,
    pub(crate) pixels: Option<Pixels>,
}

/// Opens the form of a request.
///
/// # Errors
/// When it is none, or too large by what it says of itself.
pub(crate) fn open(req: &mut Request) -> Result<Multipart<'static>, Problem> {
    let content_type = req.header("content-type").unwrap_or_default();
    let boundary = multer::parse_boundary(content_type).map_err(|error| match error {
        multer::Error::NoBoundary => UploadError::Form(error).into(),
        _ => Problem::new(&codes::UNSUPPORTED_MEDIA_TYPE)
            .detail("This route takes multipart/form-data."),
    })?;
    Ok(Multipart::new(req.chunks()?, boundary))
}

/// Finds the file in a form; parts before it are passed over.
///
/// # Errors
/// When the form is broken or has none.
pub(crate) async fn find_file<'a>(form: &mut Multipart<'a>) -> Result<Field<'a>, Problem> {
    while let Some(part) = form.next_field().await.map_err(broken)? {
        if part.name() == Some(PART) {
            return Ok(part);
        }
    }
    Err(Problem::invalid(PART, "must be a part of the form"))
}

/// Writes the file to the disk.
///
/// # Errors
/// When it is too large, of a kind that is not taken, or a picture too large to be looked at; when the
/// form breaks off, and when the disk does not take it.
pub(crate) async fn receive(mut file: Field<'_>, mut draft: Draft) -> Result<Arrived, Problem> {
    let mut head: Vec<u8> = Vec::with_capacity(HEAD_BYTES);
    let mut size = 0;
    while let Some(piece) = next_piece(&mut file).await? {
        size += piece.len();
        if size > FILE_BYTES_MAX {
            return Err(UploadError::TooLarge.into());
        }
        let was_known = head.len() >= HEAD_BYTES;
        let missing = HEAD_BYTES.saturating_sub(head.len()).min(piece.len());
        head.extend_from_slice(&piece[..missing]);
        // The rest of something that is not taken need not come at all.
        if !was_known && head.len() >= HEAD_BYTES {
            sniff(&head)?;
        }
        draft.write(&piece).await.map_err(UploadError::Disk)?;
    }
    let content_type = sniff(&head)?;
    let pixels = match content_type.kind {
        AttachmentKind::Image => Some(measure(&mut draft).await?),
        AttachmentKind::Audio => None,
    };
    Ok(Arrived {
        draft,
        content_type,
        size: i64::try_from(size).unwrap_or(i64::MAX),
        pixels,
    })
}

async fn next_piece(file: &mut Field<'_>) -> Result<Option<Bytes>, Problem> {
    file.chunk().await.map_err(broken)
}

fn sniff(head: &[u8]) -> Result<&'static ContentType, UploadError> {
    content::sniff(head).ok_or(UploadError::UnknownType)
}

async fn measure(draft: &mut Draft) -> Result<Pixels, Problem> {
    let measured = draft.measure().await.map_err(UploadError::Disk)?;
    measured.map_err(|bad| match bad {
        BadPicture::Unreadable => Problem::invalid(PART, "must be a picture that can be read"),
        BadPicture::TooManyPixels => {
            Problem::invalid(PART, "must have at most 64 megapixels, and 16384 on a side")
        }
    })
}

/// Why a form could not be read: what the wire said of it, or the form itself.
fn broken(error: multer::Error) -> Problem {
    if let multer::Error::StreamReadFailed(cause) = &error
        && let Some(BodyError::TooLarge(_)) = cause.downcast_ref()
    {
        return UploadError::TooLarge.into();
    }
    UploadError::Form(error).into()
}
