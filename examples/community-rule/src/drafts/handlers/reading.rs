//! What everybody may read.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::problem::Problem;
use http::header::CACHE_CONTROL;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::drafts::PageQuery;
use super::{PUBLIC, tagged};
use crate::drafts::names::Slug;
use crate::drafts::state::State;
use crate::drafts::store::versions::Version;
use crate::drafts::store::{publications, versions};

/// A published draft.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::Shown)]
pub(crate) struct Shown {
    slug: Slug,
    version: i32,
    published_at: Timestamp,
    /// The draft's JSON.
    #[schema(value_type = Object)]
    content: Box<RawValue>,
}

/// Read what is published under a slug
#[utoipa::path(
    operation_id = "published_show",
    get, path = "/api/published/{slug}", tag = "drafts",
    params(("slug" = String, Path, description = "Where it is published.")),
    responses(
        (status = 200, description = "The latest version.", body = Shown),
        (status = 304, description = "The caller has it, by `If-None-Match`."),
        (status = 404, description = "`not_found`, also while it is hidden"),
    ),
)]
pub(crate) async fn latest(state: Arc<State>, req: Request) -> Reply {
    show(&state, req, None).await
}

/// Read an earlier version of what is published under a slug
#[utoipa::path(
    operation_id = "published_version_show",
    get, path = "/api/published/{slug}/versions/{version}", tag = "drafts",
    params(
        ("slug" = String, Path, description = "Where it is published."),
        ("version" = i32, Path, description = "From 1; the latest 20 are kept."),
    ),
    responses(
        (status = 200, description = "That version.", body = Shown),
        (status = 304, description = "The caller has it, by `If-None-Match`."),
        (status = 404, description = "`not_found`, also while it is hidden"),
    ),
)]
pub(crate) async fn version(state: Arc<State>, req: Request) -> Reply {
    let number = req.param("version")?;
    show(&state, req, Some(number)).await
}

async fn show(state: &State, req: Request, number: Option<i32>) -> Reply {
    let slug: Slug = req.param("slug")?;
    let shown = versions::shown(&state.db, slug.as_str(), number).await?;
    let Version {
        version,
        tag,
        content,
        published_at,
    } = shown.ok_or_else(Problem::not_found)?;
    let shown = Shown {
        slug,
        version,
        published_at,
        content: RawValue::from_string(content).map_err(Problem::internal)?,
    };
    let json = serde_json::to_vec(&shown).map_err(Problem::internal)?;
    tagged(&req, tag, json, PUBLIC)
}

/// A version.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::VersionView)]
pub(crate) struct VersionView {
    version: i32,
    /// Of its text.
    bytes: i64,
    published_at: Timestamp,
}

/// The versions of a published draft.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::Versions)]
pub(crate) struct Versions {
    items: Vec<VersionView>,
    /// Always null: 20 are kept.
    next_cursor: Option<String>,
}

/// List the versions that are published under a slug, the latest first
#[utoipa::path(
    operation_id = "published_version_list",
    get, path = "/api/published/{slug}/versions", tag = "drafts",
    params(("slug" = String, Path, description = "Where it is published.")),
    responses(
        (status = 200, description = "All that are kept.", body = Versions),
        (status = 404, description = "`not_found`, also while it is hidden"),
    ),
)]
pub(crate) async fn versions(state: Arc<State>, req: Request) -> Reply {
    let slug: Slug = req.param("slug")?;
    let listed = versions::list(&state.db, slug.as_str()).await?;
    if listed.is_empty() {
        return Err(Problem::not_found());
    }
    let items = listed.into_iter().map(|it| VersionView {
        version: it.version,
        bytes: it.bytes,
        published_at: it.published_at,
    });
    public(&Versions {
        items: items.collect(),
        next_cursor: None,
    })
}

/// Something that is published.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::PublishedView)]
pub(crate) struct PublishedView {
    slug: String,
    /// The latest.
    version: i32,
    published_at: Timestamp,
}

/// A page of what is published.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::PublishedPage)]
pub(crate) struct PublishedPage {
    items: Vec<PublishedView>,
    /// To be sent as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// List what is published, by everybody, the latest first published first
#[utoipa::path(
    operation_id = "published_list",
    get, path = "/api/published", tag = "drafts", params(PageQuery),
    responses((status = 200, description = "A page.", body = PublishedPage)),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let page: PageQuery = req.query()?;
    let limit = paging::limit(page.limit)?;
    let before = paging::read_cursor(page.cursor.as_deref())?;
    let mut listed = publications::list_public(&state.db, before, limit + 1).await?;
    let next_cursor = paging::cut(&mut listed, limit, |it| it.id);
    let items = listed.into_iter().map(|it| PublishedView {
        slug: it.slug,
        version: it.version,
        published_at: it.published_at,
    });
    public(&PublishedPage {
        items: items.collect(),
        next_cursor,
    })
}

fn public<T: Serialize>(value: &T) -> Reply {
    let mut response = reply::ok(value)?;
    response.headers_mut().insert(CACHE_CONTROL, PUBLIC);
    Ok(response)
}
