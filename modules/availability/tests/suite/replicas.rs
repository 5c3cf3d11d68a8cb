//! Two servers on the same data: what they do at once, by clocks that differ, through a fault.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use halobestie_core::Timestamp;
use halobestie_core::clock::Clock;
use halobestie_testkit::{TestApp, ValkeyProcess, eventually};
use uuid::Uuid;

use crate::faults::{is_exact, is_seeded};
use crate::keys::{Keys, drift};
use crate::support::*;

const AUTO_OFFLINE: &str = "mitra-auto-offline";
const HEARTBEAT_MIRROR: &str = "heartbeat-mirror";
const RESEED: &str = "valkey-online-mirror";

#[tokio::test]
async fn two_replicas_that_sweep_at_once_set_each_offline_once() {
    let app = start().await;
    let replica = app.replica().await;
    insert_online(&app, 40).await;
    app.run_sweep("valkey-online-mirror").await;
    app.clock.advance(Duration::from_secs(90));
    let (here, there) = tokio::join!(app.run_sweep(AUTO_OFFLINE), replica.run_sweep(AUTO_OFFLINE));
    let rest = app.run_sweep(AUTO_OFFLINE).await;
    assert_eq!(here.changed + there.changed + rest.changed, 40);
    assert_eq!(drift(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn two_replicas_that_run_every_sweep_at_once_disturb_nobody() {
    let app = start().await;
    let replica = app.replica().await;
    insert_online(&app, 300).await;
    app.run_sweep(RESEED).await;
    let (silent, alive) = (online_mitra(&app).await, online_mitra(&app).await);
    app.clock.advance(Duration::from_secs(60));
    for id in available(&app).await {
        if id != silent.user_id {
            port(&app).heartbeat(id).await.unwrap();
        }
    }
    app.clock.advance(Duration::from_secs(30));

    let here = every_sweep(&app);
    let there = every_sweep(&replica);
    let (here, there) = tokio::join!(here, there);
    assert_eq!(here + there, 1, "the silent one, once");
    assert!(is_online_in_postgres(&app, alive.user_id).await);
    assert_eq!(available(&app).await.len(), 301);
    app.run_sweep(RESEED).await;
    assert_eq!(drift(&app).await, Vec::<String>::new());
}

/// Runs all sweeps at once; how many mitras were set offline.
async fn every_sweep(app: &TestApp) -> u64 {
    let (gone, _, _) = tokio::join!(
        app.run_sweep(AUTO_OFFLINE),
        app.run_sweep(HEARTBEAT_MIRROR),
        app.run_sweep(RESEED),
    );
    gone.changed
}

#[tokio::test]
async fn a_replica_whose_clock_is_behind_takes_nobody_offline() {
    let app = start().await;
    let late = Clock::manual(app.clock.now() - Duration::from_secs(45));
    let replica = app.another().clock(late).start().await;
    let mitra = online_mitra(&app).await;
    let heard = heard_in_postgres(&app, mitra.user_id).await;

    // The mirror is now behind what Postgres was told.
    assert!(
        port(&replica)
            .heartbeat(mitra.user_id)
            .await
            .unwrap()
            .online
    );
    for server in [&app, &replica] {
        assert!(port(server).reachable(mitra.user_id).await.unwrap());
        assert_eq!(available(server).await.len(), 1);
        assert_eq!(server.run_sweep(AUTO_OFFLINE).await.changed, 0);
        assert_eq!(server.run_sweep(HEARTBEAT_MIRROR).await.changed, 0);
    }
    assert_eq!(heard_in_postgres(&app, mitra.user_id).await, heard);

    app.run_sweep(RESEED).await;
    assert_eq!(drift(&app).await, Vec::<String>::new());
    let beat = Keys::of(&app)
        .text(&format!("mitra:heartbeat:{}", mitra.user_id))
        .await;
    assert_eq!(beat, Some(heard.to_string()), "the newer of the two");
}

async fn heard_in_postgres(app: &TestApp, id: Uuid) -> Timestamp {
    const SQL: &str = "SELECT last_heartbeat_at FROM mitras WHERE mitra_id = $1";
    app.database.row(SQL, &[&id]).await.get(0)
}

#[tokio::test]
async fn a_flush_a_kill_and_a_restart_in_a_row_leave_the_counts_of_postgres() {
    const MITRAS: usize = 1000;
    const WITHIN: Duration = Duration::from_secs(15);
    let mut valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let replica = app.replica().await;
    insert_online(&app, 1000).await;
    for server in [&app, &replica] {
        server.run_sweep(RESEED).await;
    }
    let ids: Vec<Uuid> = available(&app).await.into_iter().collect();
    assert_eq!(ids.len(), MITRAS);

    let sent = AtomicU64::new(0);
    let beats = async {
        for (index, id) in ids.iter().cycle().enumerate() {
            let server = if index % 2 == 0 { &app } else { &replica };
            assert!(port(server).heartbeat(*id).await.unwrap().online);
            sent.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let faults = async {
        let everyone_beats = |times: u64| sent.load(Ordering::Relaxed) >= times * ids.len() as u64;
        eventually("everyone beats", || async { everyone_beats(1) }).await;
        Keys::of(&app).flush_all().await;
        valkey.kill().await;
        assert_eq!(available(&replica).await.len(), MITRAS);
        valkey.restart().await;
        let restarted = Instant::now();
        for server in [&app, &replica] {
            eventually("the mirror is seeded", || is_seeded(server)).await;
            eventually("the mirror is exact", || is_exact(server)).await;
            eventually("Valkey counts as Postgres does", || {
                counts_everyone(server, MITRAS)
            })
            .await;
        }
        restarted.elapsed()
    };
    let took = tokio::select! { () = beats => unreachable!("they go on"), took = faults => took };
    assert!(took < WITHIN, "{took:?}");
    assert_eq!(app.run_sweep(AUTO_OFFLINE).await.changed, 0);
}

/// Whether everyone is counted, and the mirror answered.
async fn counts_everyone(app: &TestApp, mitras: usize) -> bool {
    const FALLBACKS: &str = "halobestie_availability_fallback_reads_total";
    let fallbacks = metric(app, FALLBACKS).await;
    let found = available(app).await.len();
    found == mitras && (metric(app, FALLBACKS).await - fallbacks).abs() < f64::EPSILON
}
