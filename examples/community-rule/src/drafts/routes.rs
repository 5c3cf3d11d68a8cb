//! The route tables: one where drafts are kept, and one where they are not.

use std::sync::Arc;

use halobestie_core::http::{Access, Reply, Request, Routes};
use http::Method;
use utoipa::OpenApi;

use super::content::BYTES_MAX;
use super::error::DraftError;
use super::handlers::{conflicts, drafts, publishing, reading};
use super::state::State;

const ALL: &str = "/api/drafts";
const ONE: &str = "/api/drafts/{key}";
const CONFLICTS: &str = "/api/drafts/{key}/conflicts";
const CONFLICT: &str = "/api/drafts/{key}/conflicts/{id}";
const PUBLICATION: &str = "/api/drafts/{key}/publication";
const PUBLICATIONS: &str = "/api/publications";
const PUBLISHED: &str = "/api/published";
const SLUG: &str = "/api/published/{slug}";
const VERSIONS: &str = "/api/published/{slug}/versions";
const VERSION: &str = "/api/published/{slug}/versions/{version}";

/// Where drafts are kept.
pub(crate) fn on(state: Arc<State>) -> Routes {
    const MINE: Access = Access::EitherSide;
    Routes::with(state)
        .get(ALL, MINE, drafts::list)
        .get(ONE, MINE, drafts::show)
        .row(Method::PUT, ONE, MINE, drafts::save)
        .body_limit(BYTES_MAX)
        .row(Method::DELETE, ONE, MINE, drafts::delete)
        .get(CONFLICTS, MINE, conflicts::list)
        .get(CONFLICT, MINE, conflicts::show)
        .row(Method::DELETE, CONFLICT, MINE, conflicts::delete)
        .row(Method::PUT, PUBLICATION, MINE, publishing::publish)
        .row(Method::DELETE, PUBLICATION, MINE, publishing::unpublish)
        .get(PUBLICATIONS, MINE, publishing::list)
        .get(PUBLISHED, Access::Anyone, reading::list)
        .get(SLUG, Access::Anyone, reading::latest)
        .get(VERSIONS, Access::Anyone, reading::versions)
        .get(VERSION, Access::Anyone, reading::version)
        .into()
}

/// Where they are not. Anyone is told so: an application must know before anybody signs in.
pub(crate) fn off() -> Routes {
    let rows = [
        (Method::GET, ALL),
        (Method::GET, ONE),
        (Method::PUT, ONE),
        (Method::DELETE, ONE),
        (Method::GET, CONFLICTS),
        (Method::GET, CONFLICT),
        (Method::DELETE, CONFLICT),
        (Method::PUT, PUBLICATION),
        (Method::DELETE, PUBLICATION),
        (Method::GET, PUBLICATIONS),
        (Method::GET, PUBLISHED),
        (Method::GET, SLUG),
        (Method::GET, VERSIONS),
        (Method::GET, VERSION),
    ];
    let table = rows
        .into_iter()
        .fold(Routes::with(Arc::new(())), |table, (method, path)| {
            table
                .row(method, path, Access::Anyone, disabled)
                .body_limit(BYTES_MAX)
        });
    table.into()
}

/// Reads nothing of what is sent.
async fn disabled(_: Arc<()>, _: Request) -> Reply {
    Err(DraftError::SyncDisabled.into())
}

/// Their description.
#[derive(OpenApi)]
#[openapi(
    tags((name = "drafts", description = "Drafts on every device, and pages of them for everybody. With \
        `ENABLE_BACKEND_SYNC=false` every call is answered 503 `sync_disabled`.")),
    paths(
        drafts::list,
        drafts::show,
        drafts::save,
        drafts::delete,
        conflicts::list,
        conflicts::show,
        conflicts::delete,
        publishing::publish,
        publishing::unpublish,
        publishing::list,
        reading::list,
        reading::latest,
        reading::versions,
        reading::version,
    ),
)]
pub(crate) struct Description;
