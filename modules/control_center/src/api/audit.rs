//! The audit.

use std::sync::Arc;

use halobestie_core::audit::{self, Filter, Recorded};
use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::Window;
use halobestie_core::{Problem, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Page, PageQuery, one_of};
use crate::act::Caller;
use crate::state::State;

/// A page of the audit; `window.limit` is the page's.
///
/// # Errors
/// When Postgres does not answer.
pub(crate) async fn list_of(
    state: &State,
    filter: &Filter,
    window: Window,
) -> Result<(Vec<Recorded>, Option<String>), Problem> {
    let one_more = Window {
        limit: window.limit + 1,
        ..window
    };
    let mut items = audit::list(&state.db, filter, one_more).await?;
    let next = paging::cut(&mut items, window.limit, |it| it.id);
    Ok((items, next))
}

/// Which deeds to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// By this admin.
    admin_id: Option<Uuid>,
    /// This action, or all of a kind: `mitra` is `mitra.create` and `mitra.update`.
    action: Option<String>,
    /// On this: `mitra:<id>`, `config:packages`.
    subject: Option<String>,
    /// Not before this instant.
    since: Option<String>,
    /// Before this instant.
    until: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageQuery,
}

/// List what admins did
#[utoipa::path(
    operation_id = "admin_audit",
    get, path = "/api/admin/audit", tag = "admin", security(("bearer" = [])),
    params(AuditQuery, PageQuery),
    responses(
        (status = 200, description = "A page", body = Page<Recorded>),
        (status = 403, description = "`forbidden`: admins only"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, _: Caller, req: Request) -> Reply {
    let query: AuditQuery = req.query()?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filter = Filter {
        admin_id: query.admin_id,
        action: some(query.action),
        subject: some(query.subject),
    };
    let window = Window {
        limit: query.page.limit()?,
        since: one_of("since", query.since.as_deref(), Timestamp::parse)?,
        until: one_of("until", query.until.as_deref(), Timestamp::parse)?,
        ..query.page.window()?
    };
    let (items, next_cursor) = list_of(&state, &filter, window).await?;
    reply::ok(&Page { items, next_cursor })
}
