//! The versions that were refused because a draft had changed.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{PRIVATE, tagged};
use crate::drafts::names::Key;
use crate::drafts::state::State;
use crate::drafts::store::conflicts;

/// A refused version.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::Conflict)]
pub(crate) struct ConflictView {
    id: Uuid,
    /// Of its text.
    bytes: i64,
    created_at: Timestamp,
}

/// All refused versions of a draft.
#[derive(Serialize, ToSchema)]
#[schema(as = drafts::Conflicts)]
pub(crate) struct Conflicts {
    items: Vec<ConflictView>,
    /// Always null: five are kept.
    next_cursor: Option<String>,
}

/// List a draft's refused versions, the latest first
///
/// Also of a draft that is gone.
#[utoipa::path(
    operation_id = "draft_conflict_list",
    get, path = "/api/drafts/{key}/conflicts", tag = "drafts", security(("bearer" = [])),
    params(("key" = String, Path, description = "The draft.")),
    responses((status = 200, description = "All of them.", body = Conflicts)),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let (caller, key): (_, Key) = (req.caller()?, req.param("key")?);
    let listed = conflicts::list(&state.db, caller.user_id, key.as_str()).await?;
    let items = listed.into_iter().map(|it| ConflictView {
        id: it.id,
        bytes: it.bytes,
        created_at: it.created_at,
    });
    reply::ok(&Conflicts {
        items: items.collect(),
        next_cursor: None,
    })
}

/// Read a refused version
#[utoipa::path(
    operation_id = "draft_conflict_show",
    get, path = "/api/drafts/{key}/conflicts/{id}", tag = "drafts", security(("bearer" = [])),
    params(
        ("key" = String, Path, description = "The draft."),
        ("id" = Uuid, Path, description = "From `conflict_id`, or from the list."),
    ),
    responses(
        (status = 200, description = "What was sent.", body = Object),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let (caller, key): (_, Key) = (req.caller()?, req.param("key")?);
    let id: Uuid = req.param("id")?;
    let content = conflicts::find(&state.db, caller.user_id, key.as_str(), id).await?;
    let content = content.ok_or_else(Problem::not_found)?;
    tagged(&req, id, content, PRIVATE)
}

/// Delete a refused version
#[utoipa::path(
    operation_id = "draft_conflict_delete",
    delete, path = "/api/drafts/{key}/conflicts/{id}", tag = "drafts", security(("bearer" = [])),
    params(
        ("key" = String, Path, description = "The draft."),
        ("id" = Uuid, Path, description = "The version."),
    ),
    responses(
        (status = 204, description = "Deleted."),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn delete(state: Arc<State>, req: Request) -> Reply {
    let (caller, key): (_, Key) = (req.caller()?, req.param("key")?);
    let id: Uuid = req.param("id")?;
    if !conflicts::delete(&state.db, caller.user_id, key.as_str(), id).await? {
        return Err(Problem::not_found());
    }
    reply::no_content()
}
