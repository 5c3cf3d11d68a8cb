//! Sending us the token by which an app can be reached.

use std::sync::Arc;

use halobestie_core::Problem;
use halobestie_core::http::{Reply, Request, reply};
use halobestie_core::ports::Platform;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::state::State;
use crate::store::{self, NewDevice};

/// Tokens have about 160 bytes, and an index takes what is far longer.
const TOKEN_BYTES_MAX: usize = 1024;
/// Devices of one person; the one that was heard of longest ago gives way.
const DEVICES_MAX: i64 = 10;

/// A device that can be reached.
#[derive(Deserialize, ToSchema)]
#[schema(as = fcm::Device)]
pub(crate) struct DeviceToken {
    /// The registration token that FCM gave to the app.
    #[schema(example = "dPXy2…:APA91b…")]
    token: String,
    /// What the app runs on.
    platform: Platform,
}

/// Register this device for pushes
///
/// To be called after each sign-in, and whenever FCM gives the app a new token; then the old one is to be
/// deleted. A token belongs to the sign-in session that sent it last, and goes with it: on logout, revocation,
/// and when the account is closed. Ten devices a person are kept, the newest.
#[utoipa::path(
    operation_id = "devices_register",
    put, path = "/api/devices", tag = "push", security(("bearer" = [])), request_body = DeviceToken,
    responses(
        (status = 204, description = "It is reached by this token from now on."),
        (status = 422, description = "`validation_failed`"),
    ),
)]
pub(crate) async fn register(state: Arc<State>, mut req: Request) -> Reply {
    let caller = req.caller()?;
    let device: DeviceToken = req.json().await?;
    if !is_token(&device.token) {
        let message = "must be a registration token as FCM gives it out";
        return Err(Problem::invalid("token", message));
    }
    let new = NewDevice {
        id: state.entropy.uuid(&state.clock),
        token: &device.token,
        user_id: caller.user_id,
        session_id: caller.session_id,
        platform: device.platform,
    };
    let mut client = state.db.client().await?;
    let tx = client.begin().await?;
    store::lock_user(&tx, caller.user_id).await?;
    store::take(&tx, &new, state.clock.now()).await?;
    store::delete_surplus(&tx, caller.user_id, DEVICES_MAX).await?;
    tx.commit().await?;
    reply::no_content()
}

fn is_token(text: &str) -> bool {
    let is_visible = text.bytes().all(|it| it.is_ascii_graphic());
    (1..=TOKEN_BYTES_MAX).contains(&text.len()) && is_visible
}
