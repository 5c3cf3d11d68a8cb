//! The beacon: the one call that every app polls, signed in or not.

use anyhow::Error;

use super::World;
use crate::http_client::request;
use crate::http_task::{HttpTask, Same};
use crate::results::Round;
use crate::side::Side;

pub(super) const PATH: &str = "/api/customer/availability";

pub(super) async fn round(world: &World, side: &Side) -> Result<Round, Error> {
    let asking = || Same {
        request: request("GET", PATH, None, ""),
        status: 200,
    };
    let askings = (0..world.load.connections).map(|_| asking());
    let mut tasks = HttpTask::all(side.first()?, askings).await?;
    world.load.measure(side, &mut tasks).await
}
