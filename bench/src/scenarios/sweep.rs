//! Heartbeats at a steady rate while the server's sweeps run over everybody who is online: how long the
//! longest sweep took, and what the others' answers took meanwhile. The side without sweeps (`--role api`)
//! shows what they would have taken.

use std::time::Duration;

use anyhow::{Context as _, Error};
use tokio::time::sleep;
use tokio_postgres::Client;

use super::{World, heartbeat};
use crate::fixture::connect;
use crate::results::Round;
use crate::side::Side;

/// How often the record of sweeps is read.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The longest of those that go over all mitras, since a time.
const LONGEST: &str = "SELECT max(last_duration_ms) FROM sweep_runs
    WHERE name IN ('mitra-auto-offline', 'heartbeat-mirror', 'valkey-online-mirror')
        AND last_run_at > $1::text::timestamptz";
const NOW: &str = "SELECT now()::text";

pub(super) async fn round(world: &World, side: &Side) -> Result<Round, Error> {
    let database = side.database.as_deref();
    let client = connect(database.context("the scenario needs database=…")?).await?;
    let since: String = client.query_one(NOW, &[]).await?.get(0);
    let mut longest = None;
    let watching = watch(&client, &since, &mut longest);
    let round = tokio::select! {
        round = heartbeat::round(world, side) => round?,
        broken = watching => return Err(broken),
    };
    let mut round = round;
    if let Some(longest) = longest {
        round.figures.insert("sweep_ms".into(), longest as f64);
    }
    Ok(round)
}

/// Keeps the longest; ends only when the database does not answer.
async fn watch(client: &Client, since: &String, longest: &mut Option<i64>) -> Error {
    loop {
        match client.query_one(LONGEST, &[since]).await {
            Ok(row) => *longest = row.get::<_, Option<i64>>(0).max(*longest),
            Err(error) => return error.into(),
        }
        sleep(LOOK_EVERY).await;
    }
}
