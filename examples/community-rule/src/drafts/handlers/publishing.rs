//! Publishing a draft, and taking it back.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::conditional::Condition;
use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::pg::Tx;
use halobestie_core::ports::Principal;
use halobestie_core::problem::Problem;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;

use super::drafts::{PageQuery, seen};
use crate::drafts::error::DraftError;
use crate::drafts::names::{Key, Slug};
use crate::drafts::state::State;
use crate::drafts::store::drafts::Draft;
use crate::drafts::store::publications::{self, New, Publication};
use crate::drafts::store::versions;

/// Versions that are kept of one publication.
const VERSIONS_MAX: i32 = 20;

/// Publishes a draft.
#[derive(Deserialize, ToSchema)]
#[schema(as = drafts::Publish)]
pub(crate) struct Publish {
    /// 3 to 64 lower-case letters, digits and `-`. Needed the first time; the draft keeps it.
    #[schema(example = "garden-rules")]
    slug: Option<String>,
}

/// A draft that is published.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::Published)]
pub(crate) struct Published {
    slug: String,
    version: i32,
    /// Where everybody may read it.
    #[schema(example = "/api/published/garden-rules")]
    url: String,
}

/// Publish a draft
///
/// As it is now, as the next version under its slug; as it is published already, nothing changes but that
/// it is shown again. The latest 20 versions are kept.
#[utoipa::path(
    operation_id = "draft_publish",
    put, path = "/api/drafts/{key}/publication", tag = "drafts", security(("bearer" = [])),
    params(
        ("key" = String, Path, description = "The draft."),
        ("If-Match" = Option<String>, Header, description = "Publish this version, and no later one."),
    ),
    request_body = Publish,
    responses(
        (status = 200, description = "This was its latest version already.", body = Published),
        (status = 201, description = "A new version.", body = Published),
        (status = 404, description = "`not_found`: no such draft."),
        (status = 409, description = "`slug_taken`, `slug_fixed` or `publications_full`."),
        (status = 412, description = "`draft_changed`"),
        (status = 422, description = "`validation_failed`: no slug, or none that can be one."),
    ),
)]
pub(crate) async fn publish(state: Arc<State>, mut req: Request) -> Reply {
    let (caller, key): (_, Key) = (req.caller()?, req.param("key")?);
    let condition = Condition::of(req.headers());
    let asked: Publish = req.json().await?;
    let slug = asked.slug.as_deref().map(slug).transpose()?;
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    state.lock(&tx, &caller).await?;
    let draft = seen(&tx, caller.user_id, key.as_str(), &condition).await?;
    let publication = publications::find(&tx, caller.user_id, key.as_str()).await?;
    let publication = match publication {
        Some(publication) => kept(publication, slug.as_ref())?,
        None => first(&state, &tx, &caller, &key, slug).await?,
    };
    let (version, status) = show_version(&state, &tx, &publication, &draft).await?;
    if !publication.is_public {
        publications::set_public(&tx, caller.user_id, key.as_str(), true).await?;
    }
    tx.commit().await?;
    info!(user.id = %caller.user_id, publication.id = %publication.id, version, "draft published");
    let url = format!("/api/published/{}", publication.slug);
    let published = Published {
        slug: publication.slug,
        version,
        url,
    };
    reply::json(status, &published)
}

fn slug(text: &str) -> Result<Slug, Problem> {
    let message = "must be 3 to 64 lower-case letters, digits and -, such as garden-rules";
    text.parse().map_err(|_| Problem::invalid("slug", message))
}

fn kept(publication: Publication, asked: Option<&Slug>) -> Result<Publication, DraftError> {
    match asked {
        Some(slug) if slug.as_str() != publication.slug => Err(DraftError::SlugFixed),
        _ => Ok(publication),
    }
}

async fn first(
    state: &State,
    tx: &Tx<'_>,
    caller: &Principal,
    key: &Key,
    slug: Option<Slug>,
) -> Result<Publication, Problem> {
    let slug = slug.ok_or_else(|| Problem::invalid("slug", "is needed the first time"))?;
    if publications::count(tx, caller.user_id).await? >= state.user_publications {
        return Err(DraftError::PublicationsFull.into());
    }
    let new = New {
        id: state.fresh_id(),
        user_id: caller.user_id,
        key: key.as_str(),
        slug: slug.as_str(),
    };
    if !publications::insert(tx, &new, state.clock.now()).await? {
        return Err(DraftError::SlugTaken.into());
    }
    Ok(Publication {
        id: new.id,
        slug: slug.to_string(),
        is_public: true,
    })
}

/// Adds the draft as a version unless it is the latest one; its number.
async fn show_version(
    state: &State,
    tx: &Tx<'_>,
    publication: &Publication,
    draft: &Draft,
) -> Result<(i32, StatusCode), DraftError> {
    let latest = versions::latest(tx, publication.id).await?;
    let before = latest.as_ref().map_or(0, |it| it.version);
    if latest.is_some_and(|it| it.content == draft.content) {
        return Ok((before, StatusCode::OK));
    }
    let new = versions::New {
        publication_id: publication.id,
        version: before + 1,
        tag: state.fresh_id(),
        content: &draft.content,
        pictures: &draft.pictures,
    };
    versions::insert(tx, &new, state.clock.now()).await?;
    versions::prune(tx, publication.id, new.version - VERSIONS_MAX).await?;
    Ok((new.version, StatusCode::CREATED))
}

/// Hide a published draft
///
/// Its slug and its versions stay its own, for when it is published again.
#[utoipa::path(
    operation_id = "draft_unpublish",
    delete, path = "/api/drafts/{key}/publication", tag = "drafts", security(("bearer" = [])),
    params(("key" = String, Path, description = "The draft, which need not be there any more.")),
    responses(
        (status = 204, description = "Nobody sees it any more."),
        (status = 404, description = "`not_found`: never published."),
    ),
)]
pub(crate) async fn unpublish(state: Arc<State>, req: Request) -> Reply {
    let (caller, key): (_, Key) = (req.caller()?, req.param("key")?);
    if !publications::set_public(&state.db, caller.user_id, key.as_str(), false).await? {
        return Err(Problem::not_found());
    }
    info!(user.id = %caller.user_id, "draft unpublished");
    reply::no_content()
}

/// Something that the caller has published.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::Publication)]
pub(crate) struct PublicationView {
    key: String,
    slug: String,
    /// Whether everybody sees it.
    is_public: bool,
    /// The latest.
    version: i32,
    published_at: Timestamp,
}

/// A page of them.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::PublicationPage)]
pub(crate) struct PublicationPage {
    items: Vec<PublicationView>,
    /// To be sent as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// List what the caller has published, hidden or not
#[utoipa::path(
    operation_id = "publication_list",
    get, path = "/api/publications", tag = "drafts", security(("bearer" = [])), params(PageQuery),
    responses((status = 200, description = "A page.", body = PublicationPage)),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let caller = req.caller()?;
    let page: PageQuery = req.query()?;
    let limit = paging::limit(page.limit)?;
    let before = paging::read_cursor(page.cursor.as_deref())?;
    let mut listed = publications::list_of(&state.db, caller.user_id, before, limit + 1).await?;
    let next_cursor = paging::cut(&mut listed, limit, |it| it.id);
    let items = listed.into_iter().map(|it| PublicationView {
        key: it.key,
        slug: it.slug,
        is_public: it.is_public,
        version: it.version,
        published_at: it.published_at,
    });
    reply::ok(&PublicationPage {
        items: items.collect(),
        next_cursor,
    })
}
