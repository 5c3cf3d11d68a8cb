//! What can go wrong with an upload, and which code the client gets for it.

use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::problem::codes as core;
use halobestie_core::{Coded, ErrorCode};

/// The module's codes.
pub(crate) mod codes {
    use halobestie_core::ErrorCode;

    /// There is nowhere to put files.
    pub(crate) static SERVER_MISCONFIGURED: ErrorCode = ErrorCode {
        name: "server_misconfigured",
        status: 503,
        title: "Server misconfigured",
        meaning: "This server is not set up for uploads.",
        client: "Hide pictures and recordings; text works.",
    };
    /// The body is not a form.
    pub(crate) static MALFORMED_FORM: ErrorCode = ErrorCode {
        name: "malformed_form",
        status: 400,
        title: "Malformed form",
        meaning: "The request body is not complete multipart/form-data.",
        client: "Send the file again, as the part `file`.",
    };
    /// Nothing of the file lies in the range.
    pub(crate) static RANGE_NOT_SATISFIABLE: ErrorCode = ErrorCode {
        name: "range_not_satisfiable",
        status: 416,
        title: "Range not satisfiable",
        meaning: "The range begins after the end of the file.",
        client: "Ask for a range within the upload's size.",
    };

    /// Every code of this module, for the catalogue.
    pub(crate) static ALL: &[&ErrorCode] = &[
        &SERVER_MISCONFIGURED,
        &MALFORMED_FORM,
        &RANGE_NOT_SATISFIABLE,
    ];
}

/// Why an upload was not taken or not shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("UPLOAD_ROOT is not set")]
    NoRoot,
    #[error("the file is none of the kinds that are taken")]
    UnknownType,
    #[error("the file is over the limit")]
    TooLarge,
    #[error("the form cannot be read")]
    Form(#[source] multer::Error),
    #[error("too many uploads of this person at once")]
    TooMany,
    #[error("too many uploads at once")]
    Busy,
    #[error("the person has uploaded enough for today")]
    QuotaReached,
    #[error("the range begins after the file's end")]
    Range,
    #[error("no such upload for this caller")]
    NotFound,
    #[error("cannot read or write a file")]
    Disk(#[from] std::io::Error),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for UploadError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::NoRoot => &codes::SERVER_MISCONFIGURED,
            Self::UnknownType => &core::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => &core::BODY_TOO_LARGE,
            Self::Form(_) => &codes::MALFORMED_FORM,
            Self::TooMany | Self::QuotaReached => &core::RATE_LIMITED,
            Self::Busy => &core::OVERLOADED,
            Self::Range => &codes::RANGE_NOT_SATISFIABLE,
            Self::NotFound => &core::NOT_FOUND,
            // A disk that is full or away is mended from outside, and then it works again.
            Self::Disk(_) => &core::DEPENDENCY_UNAVAILABLE,
            Self::Db(error) => error.code(),
        }
    }

    fn detail(&self) -> Option<String> {
        let detail = match self {
            Self::UnknownType => {
                "This is none of JPEG, PNG, WebP, GIF, MP3, M4A, AAC, Ogg, WebM, WAV, AMR."
            }
            Self::TooLarge => "A file may have at most 10 MiB.",
            Self::TooMany => "Wait for your other uploads to end.",
            Self::QuotaReached => "You have uploaded as much as you may in 24 hours.",
            _ => return None,
        };
        Some(detail.to_owned())
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::QuotaReached => Some(Duration::from_secs(3600)),
            _ => None,
        }
    }
}
