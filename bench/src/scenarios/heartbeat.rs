//! Heartbeats of signed-in mitras, each on a connection of its own.

use anyhow::Error;

use super::World;
use crate::http_client::request;
use crate::http_task::{HttpTask, Same};
use crate::peers::redis_benchmark;
use crate::results::Round;
use crate::side::{Side, Speaks};
use crate::token::Role;

pub(super) const PATH: &str = "/api/mitra/status/heartbeat";

pub(super) async fn round(world: &World, side: &Side) -> Result<Round, Error> {
    if side.speaks == Speaks::RedisBenchmark {
        return redis_benchmark::round(side, &world.load).await;
    }
    let mitras = world.fixture.some_mitras(world.load.connections)?;
    let askings = mitras.iter().map(|mitra| {
        let token = world.mint.token(*mitra, Role::Mitra);
        Same {
            request: request("POST", PATH, Some(&token), ""),
            status: 200,
        }
    });
    let mut tasks = HttpTask::all(side.first()?, askings).await?;
    world.load.measure(side, &mut tasks).await
}
