//! What can go wrong with drafts, and the codes that clients are told.

use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::problem::codes;
use halobestie_core::{Coded, ErrorCode};
use serde_json::{Map, Value};
use uuid::Uuid;

static SYNC_DISABLED: ErrorCode = ErrorCode {
    name: "sync_disabled",
    status: 503,
    title: "Synchronisation is off",
    meaning: "This server keeps no drafts.",
    client: "Keep drafts on the device, and do not ask again before the next start.",
};
static DRAFT_CHANGED: ErrorCode = ErrorCode {
    name: "draft_changed",
    status: 412,
    title: "Draft changed",
    meaning: "The draft is not the version that you have seen.",
    client: "Show both versions; `conflict_id` names yours, `etag` the one that is there, where there is one.",
};
static PRECONDITION_REQUIRED: ErrorCode = ErrorCode {
    name: "precondition_required",
    status: 428,
    title: "Version required",
    meaning: "There is such a draft; say which version you mean to replace.",
    client: "Read the draft and send its ETag in If-Match.",
};
static DRAFTS_FULL: ErrorCode = ErrorCode {
    name: "drafts_full",
    status: 409,
    title: "Too many drafts",
    meaning: "You have as many drafts as one person may have.",
    client: "Let the user delete one first.",
};
static PUBLICATIONS_FULL: ErrorCode = ErrorCode {
    name: "publications_full",
    status: 409,
    title: "Too much published",
    meaning: "You have published as many drafts as one person may.",
    client: "Publish a new version of one that is published.",
};
static SLUG_TAKEN: ErrorCode = ErrorCode {
    name: "slug_taken",
    status: 409,
    title: "Slug taken",
    meaning: "Something else is, or was, published under this slug.",
    client: "Let the user choose another one.",
};
static SLUG_FIXED: ErrorCode = ErrorCode {
    name: "slug_fixed",
    status: 409,
    title: "Slug fixed",
    meaning: "This draft is published under another slug, which it keeps.",
    client: "Leave `slug` out, or send the one that it has.",
};

/// Every code of this module, for the catalogue.
pub(crate) static ALL: &[&ErrorCode] = &[
    &SYNC_DISABLED,
    &DRAFT_CHANGED,
    &PRECONDITION_REQUIRED,
    &DRAFTS_FULL,
    &PUBLICATIONS_FULL,
    &SLUG_TAKEN,
    &SLUG_FIXED,
];

/// What a server that keeps no drafts asks for: it will not change its mind soon.
const NOT_SOON: Duration = Duration::from_secs(3600);

/// Why something was not done with a draft.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DraftError {
    /// Switched off.
    #[error("drafts are not kept here")]
    SyncDisabled,
    /// Another version, or none.
    #[error("the draft is another version")]
    Changed {
        /// What is there.
        etag: Option<String>,
        /// What was sent, where it was kept.
        conflict_id: Option<Uuid>,
    },
    /// A change that says nothing of what it changes.
    #[error("the change names no version")]
    Blind,
    /// The bound on drafts.
    #[error("the person has as many drafts as they may")]
    Full,
    /// The bound on publications.
    #[error("the person has published as much as they may")]
    PublicationsFull,
    /// Somebody else's slug.
    #[error("the slug is taken")]
    SlugTaken,
    /// A slug that differs from the one that the draft has.
    #[error("the draft has another slug")]
    SlugFixed,
    /// Closed between the caller's token and now.
    #[error("the account has been closed meanwhile")]
    AccountClosed,
    /// Postgres.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for DraftError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::SyncDisabled => &SYNC_DISABLED,
            Self::Changed { .. } => &DRAFT_CHANGED,
            Self::Blind => &PRECONDITION_REQUIRED,
            Self::Full => &DRAFTS_FULL,
            Self::PublicationsFull => &PUBLICATIONS_FULL,
            Self::SlugTaken => &SLUG_TAKEN,
            Self::SlugFixed => &SLUG_FIXED,
            Self::AccountClosed => &codes::UNAUTHENTICATED,
            Self::Db(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::SyncDisabled).then_some(NOT_SOON)
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        if let Self::Changed { etag, conflict_id } = self {
            if let Some(etag) = etag {
                members.insert("etag".to_owned(), etag.clone().into());
            }
            if let Some(id) = conflict_id {
                members.insert("conflict_id".to_owned(), id.to_string().into());
            }
        }
        members
    }
}
