//! What core itself does in the background: signs of life, settings, old idempotency keys.

use std::time::Duration;

use tracing::debug;

use crate::bus::Event;
use crate::idempotency;
use crate::module::{Context, RunsOn, Service};
use crate::pg::{Db, Query};
use crate::problem::BoxError;
use crate::replicas;
use crate::settings;
use crate::sweep::{Sweep, Swept};

/// Between two signs of life of a process: a third of the default `WORKER_STALE_SECONDS`, and a
/// missed one to spare.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A setting's change is seen within this, with the bus down too.
const SETTINGS_REFRESH: Duration = Duration::from_secs(30);
/// Signs of life of processes that are gone are kept this long.
const HEARTBEAT_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Rows deleted in one statement.
const BATCH: i64 = 1000;

/// Core's own services.
pub fn services(cx: &Context) -> Vec<Service> {
    vec![
        Service::new("worker-heartbeat", RunsOn::Worker, heartbeat(cx.clone())),
        Service::new("replica-heartbeat", RunsOn::Every, sign(cx.clone())),
        Service::new(
            "settings-refresh",
            RunsOn::Every,
            refresh_settings(cx.clone()),
        ),
    ]
}

/// Core's own sweeps.
pub fn sweeps(cx: &Context) -> Vec<Sweep> {
    let cleanup = cx.clone();
    vec![Sweep::new(
        "core-cleanup",
        Duration::from_secs(3600),
        move || {
            let cx = cleanup.clone();
            async move { clean(&cx).await }
        },
    )]
}

async fn heartbeat(cx: Context) -> Result<(), BoxError> {
    const BEAT: &str = "INSERT INTO worker_heartbeats (worker_id, started_at, seen_at)
        VALUES ($1, $2, $2) ON CONFLICT (worker_id) DO UPDATE SET seen_at = excluded.seen_at";
    let id = cx.entropy.uuid(&cx.clock);
    loop {
        if let Err(error) = cx.db.execute(BEAT, &[&id, &cx.clock.now()]).await {
            debug!(
                error = &error as &dyn std::error::Error,
                "cannot write the worker's heartbeat"
            );
        }
        if cx
            .lifecycle
            .soft()
            .run_until_cancelled(cx.clock.sleep(HEARTBEAT))
            .await
            .is_none()
        {
            // A worker that left in order is not a silent one: only the others count.
            const GONE: &str = "DELETE FROM worker_heartbeats WHERE worker_id = $1";
            let _ = cx.db.execute(GONE, &[&id]).await;
            return Ok(());
        }
    }
}

async fn sign(cx: Context) -> Result<(), BoxError> {
    loop {
        replicas::sign(&cx.db, &cx.about, cx.clock.now()).await;
        let slept = cx
            .lifecycle
            .soft()
            .run_until_cancelled(cx.clock.sleep(HEARTBEAT))
            .await;
        if slept.is_none() {
            replicas::sign_off(&cx.db, &cx.about).await;
            return Ok(());
        }
    }
}

async fn refresh_settings(cx: Context) -> Result<(), BoxError> {
    let mut changes = cx.bus.subscribe(settings::TOPIC);
    loop {
        tokio::select! {
            () = cx.lifecycle.soft().cancelled() => return Ok(()),
            () = cx.clock.sleep(SETTINGS_REFRESH) => {}
            // What changed does not matter: the table is small and is read whole.
            Event::Message(_) | Event::Lost = changes.next() => {}
        }
        if let Err(error) = cx.settings.refresh(&cx.db).await {
            debug!(
                error = &error as &dyn std::error::Error,
                "cannot refresh the settings"
            );
        }
    }
}

async fn clean(cx: &Context) -> Result<Swept, BoxError> {
    let now = cx.clock.now();
    const HEARTBEATS: &str = "DELETE FROM worker_heartbeats WHERE ctid IN
        (SELECT ctid FROM worker_heartbeats WHERE seen_at < $1 LIMIT $2)";
    const KEYS: &str = "DELETE FROM idempotency_keys WHERE ctid IN
        (SELECT ctid FROM idempotency_keys WHERE created_at < $1 LIMIT $2)";
    const REPLICAS: &str = "DELETE FROM replicas WHERE ctid IN
        (SELECT ctid FROM replicas WHERE seen_at < $1 LIMIT $2)";
    let heartbeats = delete(&cx.db, HEARTBEATS, now - HEARTBEAT_KEPT).await?;
    let replicas = delete(&cx.db, REPLICAS, now - HEARTBEAT_KEPT).await?;
    let keys = delete(&cx.db, KEYS, now - idempotency::KEY_LIFE).await?;
    let full = u64::try_from(BATCH).unwrap_or(u64::MAX);
    Ok(Swept {
        changed: heartbeats + replicas + keys,
        more: [heartbeats, replicas, keys].contains(&full),
    })
}

async fn delete(
    db: &Db,
    sql: &'static str,
    before: crate::timestamp::Timestamp,
) -> Result<u64, BoxError> {
    Ok(db.execute(sql, &[&before, &BATCH]).await?)
}
