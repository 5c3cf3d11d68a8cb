//! The sweeps: silent mitras go offline, heartbeats reach Postgres, and Valkey's faults touch nobody.

use std::time::Duration;

use halobestie_auth::testing::SignedIn;
use halobestie_core::Timestamp;
use halobestie_testkit::{Plan, TestApp, ValkeyProcess};
use serde_json::json;
use uuid::Uuid;

use crate::keys::{Keys, drift};
use crate::support::*;

const AUTO_OFFLINE: &str = "mitra-auto-offline";
const HEARTBEAT_MIRROR: &str = "heartbeat-mirror";

on_both_mirrors! {
    silent_mitras_are_set_offline_and_nobody_else,
    heartbeats_reach_postgres_in_one_statement,
    a_mitra_that_just_went_online_is_not_taken_for_silent,
}

async fn silent_mitras_are_set_offline_and_nobody_else(plan: Plan) {
    let app = plan.start().await;
    let (silent, alive) = (online_mitra(&app).await, online_mitra(&app).await);
    app.clock.advance(Duration::from_secs(60));
    heartbeat(&app, &alive).await.expect(200);
    assert_eq!(app.run_sweep(AUTO_OFFLINE).await.changed, 0, "not yet");
    app.clock.advance(Duration::from_secs(30));
    assert_eq!(app.run_sweep(AUTO_OFFLINE).await.changed, 1);
    assert_eq!(app.run_sweep(AUTO_OFFLINE).await.changed, 0);

    assert_eq!(status(&app, &silent).await["online"], false);
    assert_eq!(status(&app, &alive).await["online"], true);
    assert_eq!(
        heartbeat(&app, &silent).await.expect(200).json()["online"],
        false
    );
    assert_eq!(beacon(&app).await["available_mitras"], 1);
    go_online(&app, &silent).await;
    assert_eq!(beacon(&app).await["available_mitras"], 2);
}

async fn heartbeats_reach_postgres_in_one_statement(plan: Plan) {
    let app = plan.start().await;
    insert_online(&app, 40).await;
    app.run_sweep("valkey-online-mirror").await;
    let mitra = online_mitra(&app).await;
    app.clock.advance(Duration::from_secs(50));
    for id in available(&app).await {
        port(&app).heartbeat(id).await.unwrap();
    }

    let before = app.statement_count();
    assert_eq!(app.run_sweep(HEARTBEAT_MIRROR).await.changed, 41);
    let sent = app.statement_count() - before;
    assert!(
        sent <= 2 + BACKGROUND_STATEMENTS,
        "{sent} statements; one, and the record of the run"
    );
    assert_eq!(heard_in_postgres(&app, &mitra).await, Some(app.clock.now()));
    assert_eq!(app.run_sweep(HEARTBEAT_MIRROR).await.changed, 0, "no news");
}

async fn a_mitra_that_just_went_online_is_not_taken_for_silent(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    go_offline(&app, &mitra).await;
    app.clock.advance(Duration::from_secs(300));
    go_online(&app, &mitra).await;
    assert_eq!(app.run_sweep(AUTO_OFFLINE).await.changed, 0);
    assert!(is_online_in_postgres(&app, mitra.user_id).await);
}

#[tokio::test]
async fn going_offline_by_sweep_is_told_and_shown() {
    let app = start().await;
    let mitra = online_mitra(&app).await;
    let mut events = app.context().bus.subscribe("availability.changed");
    app.clock.advance(Duration::from_secs(90));
    app.run_sweep(AUTO_OFFLINE).await;
    let told = loop {
        if let halobestie_core::bus::Event::Message(told) = events.next().await {
            break serde_json::from_slice::<serde_json::Value>(&told).unwrap();
        }
    };
    let gone = json!({"mitra_id": mitra.user_id, "online": false, "active": true});
    assert_eq!(told, gone);
    assert_eq!(drift(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn without_valkey_nobody_is_set_offline() {
    let mut valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let mitra = online_mitra(&app).await;
    valkey.kill().await;
    app.clock.advance(Duration::from_secs(600));
    for sweep in [AUTO_OFFLINE, HEARTBEAT_MIRROR, "valkey-online-mirror"] {
        assert!(
            app.try_sweep(sweep).await.is_err(),
            "{sweep} says that it could not run"
        );
    }
    assert!(is_online_in_postgres(&app, mitra.user_id).await);
}

#[tokio::test]
async fn heartbeats_that_went_to_postgres_count() {
    let app = start().await;
    let mitra = online_mitra(&app).await;
    app.clock.advance(Duration::from_secs(80));
    // Another replica is cut off from Valkey, and takes the heartbeat in Postgres.
    let cut_off = app.another().valkey_at("redis://127.0.0.1:1").start().await;
    heartbeat(&cut_off, &mitra).await.expect(200);
    app.clock.advance(Duration::from_secs(20));
    assert_eq!(app.run_sweep(AUTO_OFFLINE).await.changed, 0);
    app.clock.advance(Duration::from_secs(70));
    assert_eq!(
        app.run_sweep(AUTO_OFFLINE).await.changed,
        1,
        "it has become stale as well"
    );
}

#[tokio::test]
async fn a_mitra_that_has_changed_since_the_mirror_was_read_is_let_be() {
    let app = start().await;
    let mitra = online_mitra(&app).await;
    app.clock.advance(Duration::from_secs(90));
    let id = mitra.user_id.to_string();
    Keys::of(&app)
        .run::<()>("HSET", "mitras:version", &[&id, "0"])
        .await;
    assert_eq!(app.run_sweep(AUTO_OFFLINE).await.changed, 0);
    app.run_sweep("valkey-online-mirror").await;
    assert_eq!(
        app.run_sweep(AUTO_OFFLINE).await.changed,
        1,
        "once the mirror has caught up"
    );
}

#[tokio::test]
async fn a_lost_heartbeat_is_judged_by_postgres() {
    let app = start().await;
    let mitra = online_mitra(&app).await;
    Keys::of(&app)
        .delete(&format!("mitra:heartbeat:{}", mitra.user_id))
        .await;
    app.clock.advance(Duration::from_secs(149));
    assert_eq!(
        app.run_sweep(AUTO_OFFLINE).await.changed,
        0,
        "Postgres may not know the newest"
    );
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.run_sweep(AUTO_OFFLINE).await.changed, 1);
}

#[tokio::test]
async fn a_heartbeat_never_moves_backwards_or_into_the_future() {
    let app = start().await;
    let mitra = online_mitra(&app).await;
    let (keys, beat) = (Keys::of(&app), format!("mitra:heartbeat:{}", mitra.user_id));
    let now = app.clock.now();

    keys.write(&beat, &(now - Duration::from_secs(10)).to_string())
        .await;
    assert_eq!(app.run_sweep(HEARTBEAT_MIRROR).await.changed, 0);
    assert_eq!(heard_in_postgres(&app, &mitra).await, Some(now));

    app.clock.advance(Duration::from_secs(5));
    keys.write(&beat, &(now + Duration::from_secs(3600)).to_string())
        .await;
    assert_eq!(app.run_sweep(HEARTBEAT_MIRROR).await.changed, 1);
    assert_eq!(heard_in_postgres(&app, &mitra).await, Some(app.clock.now()));
}

async fn heard_in_postgres(app: &TestApp, mitra: &SignedIn) -> Option<Timestamp> {
    const SQL: &str = "SELECT last_heartbeat_at FROM mitras WHERE mitra_id = $1";
    let id: Uuid = mitra.user_id;
    app.database.row(SQL, &[&id]).await.get(0)
}
