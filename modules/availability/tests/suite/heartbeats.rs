//! Heartbeats: the most frequent call there is, so one round trip and no statement.

use std::time::Duration;

use halobestie_auth::testing;
use halobestie_core::ports::HeartbeatError;
use halobestie_testkit::{Plan, ValkeyProcess};
use serde_json::json;

use crate::keys::Keys;
use crate::support::*;

on_both_mirrors! {
    heartbeats_keep_a_mitra_reachable,
    a_heartbeat_never_brings_back_who_is_offline,
    a_deactivated_mitra_is_refused,
    the_port_takes_heartbeats_as_the_route_does,
    heartbeats_send_no_statement,
}

async fn heartbeats_keep_a_mitra_reachable(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    for _ in 0..5 {
        app.clock.advance(Duration::from_secs(60));
        let taken = heartbeat(&app, &mitra).await.expect(200).json();
        assert_eq!(taken, json!({"online": true, "next_heartbeat_seconds": 30}));
    }
    assert!(port(&app).reachable(mitra.user_id).await.unwrap());

    app.clock.advance(Duration::from_secs(90));
    assert!(!port(&app).reachable(mitra.user_id).await.unwrap());
    heartbeat(&app, &mitra).await.expect(200);
    assert!(
        port(&app).reachable(mitra.user_id).await.unwrap(),
        "late is not offline yet"
    );
}

async fn a_heartbeat_never_brings_back_who_is_offline(plan: Plan) {
    let app = plan.start().await;
    let stranger = testing::mitra(&app).await;
    let mitra = online_mitra(&app).await;
    go_offline(&app, &mitra).await;
    for mitra in [&mitra, &stranger] {
        assert_eq!(
            heartbeat(&app, mitra).await.expect(200).json()["online"],
            false
        );
        assert!(!port(&app).reachable(mitra.user_id).await.unwrap());
    }
    assert_eq!(status(&app, &mitra).await["online"], false);
}

async fn a_deactivated_mitra_is_refused(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    deactivate(&app, mitra.user_id).await;
    app.run_sweep("valkey-online-mirror").await;

    heartbeat(&app, &mitra)
        .await
        .problem("mitra_deactivated", 403);
    assert!(!port(&app).reachable(mitra.user_id).await.unwrap());
    assert!(available(&app).await.is_empty());
}

async fn the_port_takes_heartbeats_as_the_route_does(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    let taken = port(&app).heartbeat(mitra.user_id).await.unwrap();
    assert!(taken.online);
    assert_eq!(taken.next_heartbeat_seconds, 30);

    deactivate(&app, mitra.user_id).await;
    app.run_sweep("valkey-online-mirror").await;
    let refused = port(&app).heartbeat(mitra.user_id).await;
    assert!(
        matches!(refused, Err(HeartbeatError::Deactivated)),
        "{refused:?}"
    );
}

async fn heartbeats_send_no_statement(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    let before = app.statement_count();
    for _ in 0..50 {
        port(&app).heartbeat(mitra.user_id).await.unwrap();
        heartbeat(&app, &mitra).await.expect(200);
    }
    let sent = app.statement_count() - before;
    assert!(
        sent <= BACKGROUND_STATEMENTS,
        "{sent} statements for a hundred heartbeats"
    );
}

#[tokio::test]
async fn a_heartbeat_is_one_round_trip() {
    const ASKED: &str = "halobestie_valkey_command_seconds_count";
    let valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let mitra = online_mitra(&app).await;
    let before = metric(&app, ASKED).await;
    for _ in 0..10 {
        port(&app).heartbeat(mitra.user_id).await.unwrap();
    }
    assert!((metric(&app, ASKED).await - before - 10.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_heartbeat_that_is_not_kept_leaves_no_key() {
    let app = start().await;
    let (offline, deactivated) = (testing::mitra(&app).await, online_mitra(&app).await);
    deactivate(&app, deactivated.user_id).await;
    app.run_sweep("valkey-online-mirror").await;
    let keys = Keys::of(&app);
    for mitra in [&offline, &deactivated] {
        let beat = format!("mitra:heartbeat:{}", mitra.user_id);
        keys.write(&beat, "2026-01-15T08:00:00.000Z").await;
        heartbeat(&app, mitra).await;
        assert!(!keys.exists(&beat).await);
    }
}

#[tokio::test]
async fn without_valkey_postgres_guards_and_keeps_heartbeats() {
    let mut valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let (mitra, deactivated) = (online_mitra(&app).await, online_mitra(&app).await);
    let offline = testing::mitra(&app).await;
    deactivate(&app, deactivated.user_id).await;
    valkey.kill().await;

    app.clock.advance(Duration::from_secs(100));
    assert_eq!(
        heartbeat(&app, &mitra).await.expect(200).json()["online"],
        true
    );
    assert_eq!(
        heartbeat(&app, &offline).await.expect(200).json()["online"],
        false
    );
    heartbeat(&app, &deactivated)
        .await
        .problem("mitra_deactivated", 403);

    app.clock.advance(Duration::from_secs(100));
    assert!(
        port(&app).reachable(mitra.user_id).await.unwrap(),
        "the heartbeat was kept"
    );
    assert_eq!(status(&app, &mitra).await["online"], true);
}
