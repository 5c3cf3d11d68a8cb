//! The caller's signed-in devices.

use std::sync::Arc;

use halobestie_core::Timestamp;
use halobestie_core::http::{Reply, Request, paging, reply};
use halobestie_core::ports::Principal;
use halobestie_core::problem::Problem;
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::state::State;
use crate::store::sessions::{self, Listed, RevokeReason};

/// Sign out here
#[utoipa::path(
    operation_id = "auth_logout",
    post, path = "/api/auth/logout", tag = "auth", security(("bearer" = [])),
    responses(
        (status = 204, description = "This session is revoked, on every replica."),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
    ),
)]
pub(crate) async fn logout(state: Arc<State>, req: Request) -> Reply {
    log_out(&state, &req.caller()?).await
}

/// What both listeners do.
pub(crate) async fn log_out(state: &State, caller: &Principal) -> Reply {
    // Revoked already means that another request was faster: the caller has what they want.
    revoke(state, caller.session_id, caller, RevokeReason::Logout).await?;
    reply::no_content()
}

/// Sign out on one device
#[utoipa::path(
    operation_id = "auth_session_end",
    delete, path = "/api/auth/sessions/{id}", tag = "auth", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "From the list of sessions.")),
    responses(
        (status = 204, description = "That session is revoked, on every replica."),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
        (status = 404, description = "`not_found`: no such session that lives, or somebody else's."),
    ),
)]
pub(crate) async fn end(state: Arc<State>, req: Request) -> Reply {
    let caller = req.caller()?;
    let session_id: Uuid = req.param("id")?;
    if !revoke(&state, session_id, &caller, RevokeReason::SignedOut).await? {
        return Err(Problem::not_found());
    }
    reply::no_content()
}

async fn revoke(
    state: &State,
    session_id: Uuid,
    caller: &Principal,
    reason: RevokeReason,
) -> Result<bool, Problem> {
    let now = state.clock.now();
    let revoked = sessions::revoke(&state.db, session_id, caller.user_id, reason, now).await?;
    if revoked {
        state.revocations.publish(&[session_id]);
        let reason = reason.as_str();
        info!(user.id = %caller.user_id, session.id = %session_id, reason, "session revoked");
    }
    Ok(revoked)
}

/// A signed-in device.
#[derive(Serialize, ToSchema)]
#[schema(as = auth::Session)]
pub(crate) struct SessionView {
    id: Uuid,
    /// Whether this is the session that asks.
    current: bool,
    /// When it was signed in on.
    created_at: Timestamp,
    /// The sign-in, or the last refresh.
    last_used_at: Timestamp,
    /// When it ends unless it is refreshed.
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceView>,
}

/// What the device said about itself.
#[derive(Serialize, ToSchema)]
#[schema(as = auth::SessionDevice)]
pub(crate) struct DeviceView {
    /// `android`, `ios` or `web`.
    platform: String,
    name: Option<String>,
    app_version: Option<String>,
}

impl SessionView {
    fn new(listed: Listed, caller: &Principal) -> Self {
        let Listed {
            id,
            created_at,
            last_used_at,
            expires_at,
            platform,
            name,
            app_version,
        } = listed;
        let device = platform.map(|platform| DeviceView {
            platform,
            name,
            app_version,
        });
        let current = id == caller.session_id;
        Self {
            id,
            current,
            created_at,
            last_used_at,
            expires_at,
            device,
        }
    }
}

/// A page of signed-in devices.
#[derive(Serialize, ToSchema)]
#[schema(as = auth::SessionPage)]
pub(crate) struct SessionPage {
    items: Vec<SessionView>,
    /// To be sent as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// 1 to 100, 50 unless told.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List the caller's signed-in devices, newest first
#[utoipa::path(
    operation_id = "auth_session_list",
    get, path = "/api/auth/sessions", tag = "auth", security(("bearer" = [])), params(PageQuery),
    responses(
        (status = 200, description = "A page.", body = SessionPage),
        (status = 401, description = "`unauthenticated` or `token_expired`."),
        (status = 422, description = "`validation_failed`: limit or cursor."),
    ),
)]
pub(crate) async fn list(state: Arc<State>, req: Request) -> Reply {
    let caller = req.caller()?;
    let page: PageQuery = req.query()?;
    let limit = paging::limit(page.limit)?;
    let before = paging::read_cursor(page.cursor.as_deref())?;
    let now = state.clock.now();
    let mut listed = sessions::list(&state.db, caller.user_id, before, limit + 1, now).await?;
    let next_cursor = paging::cut(&mut listed, limit, |it| it.id);
    let items = listed
        .into_iter()
        .map(|it| SessionView::new(it, &caller))
        .collect();
    reply::ok(&SessionPage { items, next_cursor })
}
