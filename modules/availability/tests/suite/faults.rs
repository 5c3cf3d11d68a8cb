//! Faults of a real Valkey process of the test's own. In each: no wrong answer, nobody set offline,
//! the mirror exact again by itself.

use std::time::{Duration, Instant};

use halobestie_auth::testing;
use halobestie_core::valkey::redis::aio::MultiplexedConnection;
use halobestie_core::valkey::redis::{Client, cmd};
use halobestie_testkit::{TcpProxy, TestApp, ValkeyProcess, eventually};

use crate::keys::{Keys, drift};
use crate::support::*;

/// Reads that Postgres answered in the mirror's place.
const FALLBACKS: &str = "halobestie_availability_fallback_reads_total";

pub(crate) async fn is_exact(app: &TestApp) -> bool {
    app.context()
        .valkey
        .as_ref()
        .is_some_and(|valkey| valkey.is_up())
        && drift(app).await.is_empty()
}

pub(crate) async fn is_seeded(app: &TestApp) -> bool {
    app.context()
        .valkey
        .as_ref()
        .is_some_and(|valkey| valkey.is_up())
        && Keys::of(app).exists("mitras:seeded_at").await
}

#[tokio::test]
async fn a_start_without_valkey_serves_from_postgres_and_seeds_when_it_comes() {
    let mut valkey = ValkeyProcess::start().await;
    valkey.kill().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let mitra = online_mitra(&app).await;
    assert_eq!(beacon(&app).await["source"], "postgres");
    assert_eq!(
        heartbeat(&app, &mitra).await.expect(200).json()["online"],
        true
    );

    valkey.restart().await;
    eventually("the mirror is seeded", || is_seeded(&app)).await;
    assert_eq!(drift(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_kill_is_answered_by_postgres_and_a_restart_by_a_reseed() {
    let mut valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let (stays, leaves) = (online_mitra(&app).await, online_mitra(&app).await);
    let comes = testing::mitra(&app).await;
    valkey.kill().await;

    go_online(&app, &comes).await;
    go_offline(&app, &leaves).await;
    set_load(&app, stays.user_id, 3).await;
    assert_eq!(
        available(&app).await.into_iter().collect::<Vec<_>>(),
        [comes.user_id]
    );
    assert_eq!(beacon(&app).await["source"], "postgres");

    valkey.restart().await;
    eventually("the mirror is seeded", || is_seeded(&app)).await;
    assert_eq!(drift(&app).await, Vec::<String>::new());
    assert_eq!(
        available(&app).await.into_iter().collect::<Vec<_>>(),
        [comes.user_id]
    );
}

#[tokio::test]
async fn a_frozen_valkey_costs_one_deadline_and_no_answer() {
    let valkey = ValkeyProcess::start().await;
    let plan = plan()
        .valkey_at(&valkey.url())
        .env("VALKEY_TIMEOUT_MS", "300");
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    valkey.freeze();

    let started = Instant::now();
    assert_eq!(
        heartbeat(&app, &mitra).await.expect(200).json()["online"],
        true
    );
    assert_eq!(available(&app).await.len(), 1);
    go_offline(&app, &mitra).await;
    go_online(&app, &mitra).await;
    assert_eq!(beacon(&app).await["available_mitras"], 1);
    let took = started.elapsed();
    assert!(
        took < Duration::from_secs(2),
        "one deadline in all, not one each: {took:?}"
    );

    valkey.thaw();
    eventually("the mirror is exact", || is_exact(&app)).await;
    assert!(is_online_in_postgres(&app, mitra.user_id).await);
}

#[tokio::test]
async fn a_valkey_that_is_emptied_by_hand_misleads_nobody() {
    let valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let (mitra, other) = (online_mitra(&app).await, online_mitra(&app).await);
    for _ in 0..3 {
        Keys::of(&app).flush_all().await;
        assert_eq!(
            heartbeat(&app, &mitra).await.expect(200).json()["online"],
            true
        );
        assert_eq!(available(&app).await.len(), 2);
        // Either it refuses to judge, or the reseed was faster and everyone is fresh.
        if let Ok(swept) = app.try_sweep("mitra-auto-offline").await {
            assert_eq!(swept.changed, 0);
        }
        eventually("the mirror is seeded", || is_seeded(&app)).await;
        assert_eq!(drift(&app).await, Vec::<String>::new());
    }
    assert!(is_online_in_postgres(&app, other.user_id).await);
}

#[tokio::test]
async fn a_valkey_that_takes_no_writes_is_not_believed() {
    let valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let mitra = online_mitra(&app).await;
    let mut client = own_client(&valkey).await;
    replicate(&mut client, ["127.0.0.1", "1"]).await;

    for _ in 0..3 {
        app.clock.advance(Duration::from_secs(60));
        assert_eq!(
            heartbeat(&app, &mitra).await.expect(200).json()["online"],
            true
        );
    }
    assert_eq!(
        available(&app).await.len(),
        1,
        "its heartbeats are in Postgres"
    );
    assert!(app.try_sweep("mitra-auto-offline").await.is_err());

    replicate(&mut client, ["NO", "ONE"]).await;
    eventually("the mirror is exact", || is_exact(&app)).await;
    eventually("sweeps run again", || async {
        app.try_sweep("mitra-auto-offline")
            .await
            .is_ok_and(|swept| swept.changed == 0)
    })
    .await;
    assert!(is_online_in_postgres(&app, mitra.user_id).await);
}

#[tokio::test]
async fn a_write_to_an_absent_valkey_is_made_good_on_every_replica() {
    let mut valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let replica = app.replica().await;
    let mitra = online_mitra(&app).await;
    valkey.kill().await;
    go_offline(&app, &mitra).await;
    assert!(!port(&replica).reachable(mitra.user_id).await.unwrap());
    valkey.restart().await;
    for server in [&app, &replica] {
        eventually("the mirror is seeded", || is_seeded(server)).await;
        assert!(available(server).await.is_empty());
    }
    assert_eq!(drift(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_outage_that_valkey_survives_with_its_data_leaves_nothing_stale() {
    let valkey = ValkeyProcess::start().await;
    let wire = TcpProxy::to(&format!("127.0.0.1:{}", valkey.port())).await;
    let app = plan().valkey_at(&wire.valkey_url()).start().await;
    for _ in 0..5 {
        let mitra = online_mitra(&app).await;
        wire.cut();
        go_offline(&app, &mitra).await;
        wire.mend();
        eventually("the mirror is exact", || async {
            // What Valkey has kept says that the mitra is online: nobody may believe it meanwhile.
            assert!(!port(&app).reachable(mitra.user_id).await.unwrap());
            is_exact(&app).await
        })
        .await;
    }
}

#[tokio::test]
async fn a_slow_valkey_is_waited_for_as_long_as_its_deadline_and_no_longer() {
    const DEADLINE: Duration = Duration::from_millis(1000);
    let valkey = ValkeyProcess::start().await;
    let wire = TcpProxy::to(&format!("127.0.0.1:{}", valkey.port())).await;
    let plan = plan().valkey_at(&wire.valkey_url());
    let app = plan.env("VALKEY_TIMEOUT_MS", "1000").start().await;
    let mitra = online_mitra(&app).await;

    // There and back within the deadline: slow, and still Valkey's answer.
    wire.slow(DEADLINE / 10);
    let fallbacks = metric(&app, FALLBACKS).await;
    heartbeat(&app, &mitra).await.expect(200);
    assert_eq!(beacon(&app).await["source"], "valkey");
    assert!((metric(&app, FALLBACKS).await - fallbacks).abs() < f64::EPSILON);

    // Past it: Postgres's, after one deadline at most, and nobody is taken for gone.
    wire.slow(DEADLINE * 2);
    for _ in 0..3 {
        let asked = Instant::now();
        assert_eq!(
            heartbeat(&app, &mitra).await.expect(200).json()["online"],
            true
        );
        assert_eq!(available(&app).await.len(), 1);
        let took = asked.elapsed();
        assert!(took < DEADLINE + Duration::from_secs(2), "{took:?}");
    }
    assert!(metric(&app, FALLBACKS).await > fallbacks);
    assert!(app.try_sweep("mitra-auto-offline").await.is_err());

    wire.mend();
    eventually("the mirror is exact", || is_exact(&app)).await;
    assert!(is_online_in_postgres(&app, mitra.user_id).await);
}

#[tokio::test]
async fn without_postgres_valkey_goes_on_answering_and_nothing_is_half_done() {
    let wire = TcpProxy::to_postgres().await;
    let plan = plan().postgres_through(&wire);
    let app = plan.env("DATABASE_TIMEOUT_SECONDS", "1").start().await;
    let (mitra, comes) = (online_mitra(&app).await, testing::mitra(&app).await);
    wire.cut();

    heartbeat(&app, &mitra).await.expect(200);
    assert_eq!(available(&app).await.len(), 1);
    let asked = Instant::now();
    call(&app, &comes, "/api/mitra/status/online")
        .await
        .problem("dependency_unavailable", 503);
    assert!(
        asked.elapsed() < Duration::from_secs(4),
        "{:?}",
        asked.elapsed()
    );
    assert!(app.try_sweep("valkey-online-mirror").await.is_err());
    assert_eq!(available(&app).await.len(), 1);

    wire.mend();
    eventually("the mirror is exact", || is_exact(&app)).await;
    go_online(&app, &comes).await;
    assert_eq!(available(&app).await.len(), 2);
}

/// A client of the test's own, that does not mind what the server thinks of Valkey.
async fn own_client(valkey: &ValkeyProcess) -> MultiplexedConnection {
    let client = Client::open(valkey.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

async fn replicate(client: &mut MultiplexedConnection, of: [&str; 2]) {
    cmd("REPLICAOF")
        .arg(&of)
        .query_async::<()>(client)
        .await
        .unwrap();
}
