//! Admins: the owners' own business.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::ports::Admin;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::act::Caller;
use crate::acts::admins::{self as acts, ChangeAdmin, MakeAdmin};
use crate::state::State;

/// Every admin.
#[derive(Serialize, ToSchema)]
#[schema(as = control_center::Admins)]
pub(crate) struct AdminList {
    items: Vec<Admin>,
}

/// List the admins, by email
#[utoipa::path(
    operation_id = "admin_admins",
    get, path = "/api/admin/admins", tag = "admin", security(("bearer" = [])),
    responses(
        (status = 200, description = "Every admin", body = AdminList),
        (status = 403, description = "`forbidden`: owners only"),
    ),
)]
pub(crate) async fn list(state: Arc<State>, _: Caller, _: Request) -> Reply {
    let items = state.admin_accounts.list().await?;
    reply::ok(&AdminList { items })
}

/// Make an admin
#[utoipa::path(
    operation_id = "admin_admin_create",
    post, path = "/api/admin/admins", tag = "admin", security(("bearer" = [])),
    request_body = MakeAdmin,
    responses(
        (status = 201, description = "The admin", body = Admin),
        (status = 403, description = "`forbidden`: owners only"),
        (status = 409, description = "`email_taken`"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn create(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let new: MakeAdmin = req.json().await?;
    reply::created(&acts::create(&state, &caller, new).await?)
}

/// Change an admin
///
/// A role counts from their next request on. Another password, and deactivating, sign them out everywhere.
#[utoipa::path(
    operation_id = "admin_admin_update",
    patch, path = "/api/admin/admins/{id}", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The admin")),
    request_body = ChangeAdmin,
    responses(
        (status = 200, description = "The admin", body = Admin),
        (status = 403, description = "`forbidden`: owners only"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`last_owner`: somebody must be left who may do everything"),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn update(state: Arc<State>, caller: Caller, mut req: Request) -> Reply {
    let id: Uuid = req.param("id")?;
    let change: ChangeAdmin = req.json().await?;
    reply::ok(&acts::change(&state, &caller, id, change).await?)
}
