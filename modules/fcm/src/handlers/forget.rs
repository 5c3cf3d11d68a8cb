//! Taking a device's token back.

use std::sync::Arc;

use halobestie_core::http::{Reply, Request, reply};

use crate::state::State;
use crate::store;

/// Send no more pushes to a device
///
/// 204 also for a token that is not known, or that is somebody else's by now: that one stays.
#[utoipa::path(
    operation_id = "devices_forget",
    delete, path = "/api/devices/{token}", tag = "push", security(("bearer" = [])),
    params(("token" = String, Path, description = "The registration token")),
    responses((status = 204, description = "Nothing is sent to it on your behalf.")),
)]
pub(crate) async fn forget(state: Arc<State>, req: Request) -> Reply {
    let (token, caller) = (req.param::<String>("token")?, req.caller()?);
    store::delete_of(&state.db, caller.user_id, &token).await?;
    reply::no_content()
}
