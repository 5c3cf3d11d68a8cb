//! A start: from running the program to its first ready answer, and how much memory it has a moment
//! later. Postgres and Valkey are there already.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, ensure};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::World;
use crate::http_client::{HttpClient, request};
use crate::process::{own_bytes, resident_bytes};
use crate::results::Round;
use crate::side::Side;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(30);
/// After which memory is looked at.
const REST: Duration = Duration::from_secs(2);

pub(super) async fn round(_: &World, side: &Side) -> Result<Round, Error> {
    let program = side
        .run
        .as_deref()
        .context("the scenario needs run=<program>")?;
    let began = Instant::now();
    let mut child = Command::new(program)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let ready = timeout(PATIENCE, await_ready(side, &mut child)).await;
    ready.context("not ready in time")??;
    let ready_us = began.elapsed().as_micros();
    sleep(REST).await;
    let pid = child.id().context("it has ended")?;
    let memory = [
        ("resident_kib", resident_bytes(&[pid])),
        ("own_kib", own_bytes(pid)),
    ];
    terminate(&mut child).await?;
    let mut round = Round {
        seconds: began.elapsed().as_secs_f64(),
        operations: 1,
        ..Round::default()
    };
    round.figures.insert("ready_us".into(), ready_us as f64);
    let known = memory
        .into_iter()
        .filter_map(|(name, bytes)| Some((name, bytes?)));
    let in_kib = known.map(|(name, bytes)| (name.to_owned(), bytes as f64 / 1024.0));
    round.figures.extend(in_kib);
    Ok(round)
}

async fn await_ready(side: &Side, child: &mut Child) -> Result<(), Error> {
    let address = side.first()?;
    let asks = ["/readyz", "/livez"].map(|path| request("GET", path, None, ""));
    loop {
        if let Some(status) = child.try_wait()? {
            anyhow::bail!("it ended instead of serving: {status}");
        }
        if let Ok(mut client) = HttpClient::connect(address).await {
            for ask in &asks {
                // A server without readiness says at least that it is alive.
                let answer = client.exchange(ask).await;
                if answer.is_ok_and(|it| it.status == 200) {
                    return Ok(());
                }
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

/// SIGTERM, and the end.
async fn terminate(child: &mut Child) -> Result<(), Error> {
    let id = child.id().context("it has ended")?.to_string();
    let sent = Command::new("kill")
        .args(["-s", "TERM", &id])
        .status()
        .await;
    ensure!(sent.is_ok_and(|it| it.success()), "cannot end it");
    if timeout(PATIENCE, child.wait()).await.is_err() {
        child.kill().await.context("cannot kill it")?;
    }
    Ok(())
}
