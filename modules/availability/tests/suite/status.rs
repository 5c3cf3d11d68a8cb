//! A mitra's own switch: who may turn it, what it shows, what the mirror makes of it.

use std::time::Duration;

use halobestie_auth::testing;
use halobestie_core::bus::Event;
use halobestie_core::ports::AVAILABILITY_CHANGED;
use halobestie_testkit::Plan;
use serde_json::{Value, json};

use crate::keys::{Keys, drift};
use crate::support::*;

on_both_mirrors! {
    a_new_mitra_is_offline_with_the_default_capacity,
    going_online_and_offline_shows_at_once,
    a_deactivated_mitra_cannot_go_online,
    the_status_counts_open_sessions_and_shows_the_last_heartbeat,
    coming_and_going_is_told_on_the_bus,
    the_last_heartbeat_survives_a_restart_of_the_server,
}

async fn a_new_mitra_is_offline_with_the_default_capacity(plan: Plan) {
    let app = plan.env("MITRA_MAX_SESSIONS_DEFAULT", "5").start().await;
    let mitra = testing::mitra(&app).await;
    let new = json!({
        "online": false,
        "active": true,
        "capacity": {"max": 5, "in_use": 0},
        "last_heartbeat_at": null,
        "heartbeat_interval_seconds": 30,
    });
    assert_eq!(status(&app, &mitra).await, new);
    assert_eq!(go_offline(&app, &mitra).await, new, "offline already");
}

async fn going_online_and_offline_shows_at_once(plan: Plan) {
    let app = plan.start().await;
    let mitra = testing::mitra(&app).await;

    let online = go_online(&app, &mitra).await;
    assert_eq!(online["online"], true);
    assert_eq!(
        online["last_heartbeat_at"],
        app.clock.now().to_string(),
        "counts as a heartbeat"
    );
    assert_eq!(go_online(&app, &mitra).await, online, "twice is fine");
    assert!(port(&app).reachable(mitra.user_id).await.unwrap());

    assert_eq!(go_offline(&app, &mitra).await["online"], false);
    assert_eq!(
        go_offline(&app, &mitra).await["online"],
        false,
        "twice is fine"
    );
    assert!(!port(&app).reachable(mitra.user_id).await.unwrap());
}

async fn a_deactivated_mitra_cannot_go_online(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    deactivate(&app, mitra.user_id).await;

    call(&app, &mitra, "/api/mitra/status/online")
        .await
        .problem("mitra_deactivated", 403);
    assert_eq!(status(&app, &mitra).await["active"], false);
    assert_eq!(
        go_offline(&app, &mitra).await["online"],
        false,
        "going offline is always possible"
    );
}

async fn the_status_counts_open_sessions_and_shows_the_last_heartbeat(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    set_load(&app, mitra.user_id, 2).await;
    app.clock.advance(Duration::from_secs(20));
    heartbeat(&app, &mitra).await.expect(200);

    let status = status(&app, &mitra).await;
    assert_eq!(status["capacity"], json!({"max": 3, "in_use": 2}));
    assert_eq!(status["last_heartbeat_at"], app.clock.now().to_string());
}

async fn coming_and_going_is_told_on_the_bus(plan: Plan) {
    let app = plan.start().await;
    let mitra = testing::mitra(&app).await;
    let mut events = app.context().bus.subscribe(AVAILABILITY_CHANGED);
    go_online(&app, &mitra).await;
    go_offline(&app, &mitra).await;

    for online in [true, false] {
        let told = loop {
            // A bus over Valkey tells a new subscriber that it may have missed something.
            if let Event::Message(told) = events.next().await {
                break told;
            }
        };
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(
            told,
            json!({"mitra_id": mitra.user_id, "online": online, "active": true})
        );
    }
}

async fn the_last_heartbeat_survives_a_restart_of_the_server(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    let went_online_at = app.clock.now().to_string();
    app.clock.advance(Duration::from_secs(40));

    let app = app.restart().await;
    let status = status(&app, &mitra).await;
    assert_eq!(status["online"], true);
    assert!(
        port(&app).reachable(mitra.user_id).await.unwrap(),
        "the seed shows who is online"
    );
    // A twin that starts empty gives the benefit of the doubt: the seed writes now.
    let heard = status["last_heartbeat_at"].as_str().unwrap().to_owned();
    assert!(
        heard == went_online_at || heard == app.clock.now().to_string(),
        "{heard}"
    );
}

#[tokio::test]
async fn the_switch_is_for_mitras_alone() {
    let app = start().await;
    let customer = testing::customer(&app).await;
    app.get("/api/mitra/status")
        .send()
        .await
        .problem("unauthenticated", 401);
    let refused = app
        .get("/api/mitra/status")
        .bearer(&customer.access_token)
        .send()
        .await;
    refused.problem("forbidden", 403);
    for path in ["online", "offline", "heartbeat"] {
        let path = format!("/api/mitra/status/{path}");
        app.post(&path).send().await.problem("unauthenticated", 401);
        call(&app, &customer, &path).await.problem("forbidden", 403);
    }
}

#[tokio::test]
async fn going_online_and_offline_writes_every_key() {
    let app = start().await;
    let mitra = online_mitra(&app).await;
    let (keys, id) = (Keys::of(&app), mitra.user_id.to_string());
    let (capacity, beat) = (
        format!("mitra:capacity:{id}"),
        format!("mitra:heartbeat:{id}"),
    );

    assert!(keys.set("mitras:online").await.contains(&id));
    assert_eq!(keys.text(&capacity).await.as_deref(), Some("0"));
    assert_eq!(keys.text(&beat).await, Some(app.clock.now().to_string()));
    assert_eq!(drift(&app).await, Vec::<String>::new());

    go_offline(&app, &mitra).await;
    assert!(keys.set("mitras:online").await.is_empty());
    assert!(!keys.exists(&beat).await);
    assert_eq!(
        keys.text(&capacity).await.as_deref(),
        Some("0"),
        "its sessions are still counted"
    );
    assert_eq!(drift(&app).await, Vec::<String>::new());
}
