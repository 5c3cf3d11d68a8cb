//! The beacon: its layers, its tags, and that a crowd costs one computation.

use std::time::Duration;

use futures_util::future::join_all;
use halobestie_testkit::{Plan, TcpProxy, ValkeyProcess};
use http::Method;
use serde_json::json;

use crate::keys::Keys;
use crate::support::*;

const COMPUTED: &str = "halobestie_availability_beacon_computations_total";

on_both_mirrors! {
    the_beacon_tells_whether_anyone_can_be_asked,
    the_same_number_is_not_sent_twice,
    an_answer_is_computed_once_in_ten_seconds,
    a_crowd_causes_one_computation,
    what_changes_here_shows_at_once,
}

async fn the_beacon_tells_whether_anyone_can_be_asked(plan: Plan) {
    let app = plan.start().await;
    let now = app.clock.now().to_string();
    let answer = app
        .get("/api/customer/availability")
        .send()
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=5"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("etag").is_some());
    let nobody =
        json!({"available": false, "available_mitras": 0, "as_of": now, "source": "valkey"});
    assert_eq!(answer.json(), nobody);

    online_mitra(&app).await;
    let somebody =
        json!({"available": true, "available_mitras": 1, "as_of": now, "source": "valkey"});
    assert_eq!(beacon(&app).await, somebody);
}

async fn the_same_number_is_not_sent_twice(plan: Plan) {
    let app = plan.start().await;
    let ask = |etag: String| {
        let call = app
            .get("/api/customer/availability")
            .header("if-none-match", &etag);
        async move { call.send().await }
    };
    let first = app
        .get("/api/customer/availability")
        .send()
        .await
        .expect(200);
    let etag = first.header("etag").unwrap().to_owned();

    app.clock.advance(BEACON_RENEWED);
    let same = ask(etag.clone()).await.expect(304);
    assert!(same.body.is_empty());
    assert_eq!(same.header("etag"), Some(etag.as_str()));
    assert_eq!(same.header("cache-control"), Some("public, max-age=5"));

    online_mitra(&app).await;
    let changed = ask(etag.clone()).await.expect(200);
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
    app.call(Method::HEAD, "/api/customer/availability")
        .send()
        .await
        .expect(200);
}

async fn an_answer_is_computed_once_in_ten_seconds(plan: Plan) {
    let app = plan.start().await;
    let counted_at = app.clock.now().to_string();
    assert_eq!(beacon(&app).await["source"], "valkey");
    assert_eq!(
        beacon(&app).await["source"],
        "valkey",
        "the copy of this process"
    );
    for _ in 0..9 {
        app.clock.advance(Duration::from_secs(1));
        let shared = beacon(&app).await;
        assert_eq!(shared["source"], "snapshot");
        assert_eq!(shared["as_of"], counted_at.as_str());
    }
    app.clock.advance(Duration::from_secs(1));
    let renewed = beacon(&app).await;
    assert_eq!(renewed["source"], "valkey");
    assert_eq!(renewed["as_of"], app.clock.now().to_string());
}

async fn a_crowd_causes_one_computation(plan: Plan) {
    let app = plan.start().await;
    insert_online(&app, 50).await;
    app.run_sweep("valkey-online-mirror").await;
    let (statements, computed) = (app.statement_count(), metric(&app, COMPUTED).await);
    let polls = join_all((0..1000).map(|_| beacon(&app))).await;
    assert!(polls.iter().all(|answer| answer["available_mitras"] == 50));
    assert!((metric(&app, COMPUTED).await - computed - 1.0).abs() < f64::EPSILON);
    assert!(app.statement_count() - statements <= BACKGROUND_STATEMENTS);
}

async fn what_changes_here_shows_at_once(plan: Plan) {
    let app = plan.start().await;
    assert_eq!(beacon(&app).await["available_mitras"], 0);
    let mitra = online_mitra(&app).await;
    assert_eq!(beacon(&app).await["available_mitras"], 1);
    set_load(&app, mitra.user_id, 3).await;
    assert_eq!(beacon(&app).await["available_mitras"], 0);
    set_load(&app, mitra.user_id, 2).await;
    assert_eq!(beacon(&app).await["available_mitras"], 1);
    go_offline(&app, &mitra).await;
    assert_eq!(beacon(&app).await["available_mitras"], 0);
}

#[tokio::test]
async fn the_cluster_shares_an_answer() {
    let app = start().await;
    let replica = app.replica().await;
    online_mitra(&app).await;
    assert_eq!(beacon(&app).await["source"], "valkey");
    let shared = beacon(&replica).await;
    assert_eq!(shared["source"], "snapshot");
    assert_eq!(shared["available_mitras"], 1);
    assert!(metric(&replica, COMPUTED).await.abs() < f64::EPSILON);

    // A change drops the snapshot; the replica's own copy lives for a second more.
    online_mitra(&app).await;
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(beacon(&replica).await["available_mitras"], 2);
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_read_is_made_anew() {
    let app = start().await;
    online_mitra(&app).await;
    let keys = Keys::of(&app);
    keys.write("availability:snapshot", "{\"available\":").await;
    assert_eq!(beacon(&app).await["available_mitras"], 1);

    keys.delete("availability:snapshot").await;
    keys.run::<()>("LPUSH", "availability:snapshot", &["of another type"])
        .await;
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(beacon(&app).await["available_mitras"], 1);
    let snapshot = keys.text("availability:snapshot").await.unwrap();
    let snapshot: serde_json::Value = serde_json::from_str(&snapshot).unwrap();
    assert_eq!(
        snapshot,
        json!({
            "available": true,
            "available_mitras": 1,
            "as_of": app.clock.now(),
            "source": "snapshot",
        })
    );
    let seconds: i64 = keys.run("TTL", "availability:snapshot", &[]).await;
    assert!((1..=10).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn without_valkey_postgres_counts_and_without_both_nobody_does() {
    let (mut valkey, postgres) = (ValkeyProcess::start().await, TcpProxy::to_postgres().await);
    let plan = plan().valkey_at(&valkey.url()).postgres_through(&postgres);
    let app = plan.env("DATABASE_TIMEOUT_SECONDS", "1").start().await;
    online_mitra(&app).await;
    assert_eq!(beacon(&app).await["source"], "valkey");

    postgres.cut();
    app.clock.advance(BEACON_RENEWED);
    let counted = beacon(&app).await;
    assert_eq!(
        (
            counted["source"].as_str(),
            counted["available_mitras"].as_u64()
        ),
        (Some("valkey"), Some(1))
    );

    valkey.kill().await;
    app.clock.advance(BEACON_RENEWED);
    let crowd = join_all((0..50).map(|_| app.get("/api/customer/availability").send())).await;
    for refused in crowd {
        refused.problem("dependency_unavailable", 503);
        assert!(refused.retry_after() >= 1);
    }

    postgres.mend();
    let counted = beacon(&app).await;
    assert_eq!(
        (
            counted["source"].as_str(),
            counted["available_mitras"].as_u64()
        ),
        (Some("postgres"), Some(1))
    );
}
