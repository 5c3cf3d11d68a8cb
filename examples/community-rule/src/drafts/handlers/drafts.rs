//! A person's drafts.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::conditional::Condition;
use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::pg::Tx;
use halobestie_core::problem::Problem;
use http::header::{ETAG, HeaderValue};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{PRIVATE, etag, tagged};
use crate::drafts::content::Content;
use crate::drafts::error::DraftError;
use crate::drafts::names::Key;
use crate::drafts::saving::{Verdict, judge};
use crate::drafts::state::State;
use crate::drafts::store::drafts::{self, Draft, Listed, Written};
use crate::drafts::store::{self, conflicts};

/// Refused versions that are kept of one draft.
const CONFLICTS_MAX: i64 = 5;

/// Read a draft
///
/// What was sent, byte by byte, with its `ETag`.
#[utoipa::path(
    operation_id = "draft_show",
    get, path = "/api/drafts/{key}", tag = "drafts", security(("bearer" = [])),
    params(
        ("key" = String, Path, description = "1 to 64 letters, digits, `.`, `_` and `-`."),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` that the caller has."),
    ),
    responses(
        (status = 200, description = "The draft.", body = Object,
            headers(("ETag" = String, description = "To be sent in `If-Match` with a change."))),
        (status = 304, description = "The caller has it."),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let (caller, key): (_, Key) = (req.caller()?, req.param("key")?);
    let draft = drafts::find(&state.db, caller.user_id, key.as_str()).await?;
    let draft = draft.ok_or_else(Problem::not_found)?;
    tagged(&req, draft.tag, draft.content, PRIVATE)
}

/// A draft that was written.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::Saved)]
pub(crate) struct Saved {
    key: String,
    /// To be sent in `If-Match` with the next change.
    etag: String,
}

/// Write a draft
///
/// Any JSON of at most 256 KiB. `If-Match` says which version it replaces; a first one needs none, or
/// `If-None-Match: *`. Where the draft is another version by now, it stays, the version that was sent is
/// kept beside it, of the latest five, and the answer is 412 with `etag` (absent where the draft is
/// gone) and `conflict_id`. Sending what is there already is 200, whatever was seen before, so that a lost
/// answer can be asked for again. Uploads of the caller that the text names by their address
/// (`/api/uploads/…`, 20 at most) are kept for as long as it does.
#[utoipa::path(
    operation_id = "draft_save",
    put, path = "/api/drafts/{key}", tag = "drafts", security(("bearer" = [])),
    params(
        ("key" = String, Path, description = "1 to 64 letters, digits, `.`, `_` and `-`."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version to replace."),
    ),
    request_body = Object,
    responses(
        (status = 200, description = "Replaced.", body = Saved),
        (status = 201, description = "Made.", body = Saved),
        (status = 409, description = "`drafts_full`: DRAFTS_PER_USER."),
        (status = 412, description = "`draft_changed`: both versions are kept."),
        (status = 413, description = "`body_too_large`"),
        (status = 428, description = "`precondition_required`: there is one, and no `If-Match`."),
    ),
)]
pub(crate) async fn save(state: Arc<State>, mut req: Request) -> Reply {
    let (caller, key): (_, Key) = (req.caller()?, req.param("key")?);
    let condition = Condition::of(req.headers());
    let content = Content::of(&mut req).await?;
    let now = state.clock.now();
    let pictures = state.pictures(&content, caller.user_id, now).await?;
    let written = Written {
        user_id: caller.user_id,
        key: key.as_str(),
        tag: state.fresh_id(),
        content: content.as_str(),
        pictures: &pictures,
    };
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    state.lock(&tx, &caller).await?;
    let current = drafts::find(&tx, caller.user_id, key.as_str()).await?;
    let current_etag = current.as_ref().map(|it| etag(it.tag));
    let shown = current_etag.as_deref().zip(current.as_ref());
    let shown = shown.map(|(etag, draft)| (etag, draft.content.as_str()));
    let verdict = judge(shown, &condition, content.as_str());
    let tag = match (verdict, &current) {
        (Verdict::Create, _) => {
            make(&state, &tx, &written, now).await?;
            written.tag
        }
        (Verdict::Replace, _) => {
            drafts::update(&tx, &written, now).await?;
            written.tag
        }
        (Verdict::Same, Some(Draft { tag, .. })) => *tag,
        (Verdict::Blind, _) => return Err(DraftError::Blind.into()),
        (Verdict::Changed | Verdict::Same, _) => {
            let conflict_id = keep_both(&state, &tx, &written, now).await?;
            tx.commit().await?;
            let changed = DraftError::Changed {
                etag: current_etag,
                conflict_id: Some(conflict_id),
            };
            return Err(changed.into());
        }
    };
    tx.commit().await?;
    saved(&key, tag, verdict)
}

async fn make(
    state: &State,
    tx: &Tx<'_>,
    written: &Written<'_>,
    now: Timestamp,
) -> Result<(), DraftError> {
    if drafts::count(tx, written.user_id).await? >= state.user_drafts {
        return Err(DraftError::Full);
    }
    drafts::insert(tx, state.fresh_id(), written, now).await?;
    Ok(())
}

/// Keeps a refused version, once; its id. A draft that is gone counts among the drafts for as long as
/// versions of it are kept.
async fn keep_both(
    state: &State,
    tx: &Tx<'_>,
    refused: &Written<'_>,
    now: Timestamp,
) -> Result<Uuid, DraftError> {
    let (user_id, key) = (refused.user_id, refused.key);
    if let Some(id) = conflicts::find_same(tx, user_id, key, refused.content).await? {
        return Ok(id);
    }
    if conflicts::count_others(tx, user_id, key).await? >= state.user_drafts {
        return Err(DraftError::Full);
    }
    conflicts::insert(tx, refused, now).await?;
    conflicts::prune(tx, user_id, key, CONFLICTS_MAX).await?;
    Ok(refused.tag)
}

fn saved(key: &Key, tag: Uuid, verdict: Verdict) -> Reply {
    let etag = etag(tag);
    let saved = Saved {
        key: key.as_str().to_owned(),
        etag: etag.clone(),
    };
    let mut response = match verdict {
        Verdict::Create => reply::created(&saved)?,
        _ => reply::ok(&saved)?,
    };
    let etag = HeaderValue::try_from(etag).map_err(Problem::internal)?;
    response.headers_mut().insert(ETAG, etag);
    Ok(response)
}

/// Delete a draft
///
/// With its refused versions. What is published of it stays until it is unpublished.
#[utoipa::path(
    operation_id = "draft_delete",
    delete, path = "/api/drafts/{key}", tag = "drafts", security(("bearer" = [])),
    params(
        ("key" = String, Path, description = "The draft."),
        ("If-Match" = Option<String>, Header, description = "Delete this version, and no later one."),
    ),
    responses(
        (status = 204, description = "Deleted."),
        (status = 404, description = "`not_found`"),
        (status = 412, description = "`draft_changed`"),
    ),
)]
pub(crate) async fn delete(state: Arc<State>, req: Request) -> Reply {
    let (caller, key): (_, Key) = (req.caller()?, req.param("key")?);
    let (user_id, key) = (caller.user_id, key.as_str());
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    store::lock(&tx, user_id).await?;
    seen(&tx, user_id, key, &Condition::of(req.headers())).await?;
    drafts::delete(&tx, user_id, key).await?;
    conflicts::delete_of(&tx, user_id, key).await?;
    tx.commit().await?;
    reply::no_content()
}

/// A draft of which the caller has seen the version that is there, or does not care.
pub(super) async fn seen(
    tx: &Tx<'_>,
    user_id: Uuid,
    key: &str,
    condition: &Condition,
) -> Result<Draft, Problem> {
    let draft = drafts::find(tx, user_id, key).await?;
    let draft = draft.ok_or_else(Problem::not_found)?;
    let etag = etag(draft.tag);
    if condition.holds(Some(&etag)) {
        return Ok(draft);
    }
    let changed = DraftError::Changed {
        etag: Some(etag),
        conflict_id: None,
    };
    Err(changed.into())
}

/// A draft in the list.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::Listed)]
pub(crate) struct DraftView {
    key: String,
    etag: String,
    /// Of its text.
    bytes: i64,
    updated_at: Timestamp,
    /// Refused versions that are kept beside it.
    conflicts: i64,
    /// Where it is shown to everybody.
    slug: Option<String>,
}

impl From<Listed> for DraftView {
    fn from(it: Listed) -> Self {
        Self {
            etag: etag(it.tag),
            key: it.key,
            bytes: it.bytes,
            updated_at: it.updated_at,
            conflicts: it.conflicts,
            slug: it.slug,
        }
    }
}

/// A page of drafts.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::Page)]
pub(crate) struct DraftPage {
    items: Vec<DraftView>,
    /// To be sent as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// 1 to 100, 50 unless told.
    pub(super) limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub(super) cursor: Option<String>,
}

/// List the caller's drafts, the latest made first
#[utoipa::path(
    operation_id = "draft_list",
    get, path = "/api/drafts", tag = "drafts", security(("bearer" = [])), params(PageQuery),
    responses((status = 200, description = "A page.", body = DraftPage)),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let caller = req.caller()?;
    let page: PageQuery = req.query()?;
    let limit = paging::limit(page.limit)?;
    let before = paging::read_cursor(page.cursor.as_deref())?;
    let mut listed = drafts::list(&state.db, caller.user_id, before, limit + 1).await?;
    let next_cursor = paging::cut(&mut listed, limit, |it| it.id);
    let items = listed.into_iter().map(DraftView::from).collect();
    reply::ok(&DraftPage { items, next_cursor })
}
