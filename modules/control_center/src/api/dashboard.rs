//! The dashboard.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};

use crate::act::Caller;
use crate::figures::DashboardFigures;
use crate::state::State;

/// What goes on at this moment
///
/// Counted at most once a second.
#[utoipa::path(
    operation_id = "admin_dashboard",
    get, path = "/api/admin/dashboard", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "The figures", body = DashboardFigures),
        (status = 403, description = "`forbidden`: admins only"),
    ),
)]
pub(crate) async fn show(state: Arc<State>, _: Caller, _: Request) -> Reply {
    reply::ok(&*state.figures.current().await?)
}
