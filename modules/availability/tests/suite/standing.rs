//! What others decide about a mitra, in their transaction: whether it may work, and how much.

use halobestie_auth::testing;
use halobestie_core::bus::Event;
use halobestie_core::pg::Db;
use halobestie_core::ports::{AVAILABILITY_CHANGED, AvailabilityChanged};
use halobestie_testkit::{Plan, TestApp, eventually};
use uuid::Uuid;

use crate::keys::{Keys, drift};
use crate::support::*;

on_both_mirrors! {
    a_deactivated_mitra_is_gone_and_refused,
    who_may_work_again_goes_online_by_itself,
    a_limit_counts_at_once,
    a_mitra_that_was_never_online_can_be_judged,
    what_is_rolled_back_changes_nothing,
    a_caller_that_goes_away_after_its_commit_is_made_good,
    a_decision_is_told_once_it_is_shown,
}

async fn a_deactivated_mitra_is_gone_and_refused(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    assert_eq!(beacon(&app).await["available_mitras"], 1);
    set_active(&app, mitra.user_id, false).await;

    assert_eq!(beacon(&app).await["available_mitras"], 0);
    assert!(!port(&app).reachable(mitra.user_id).await.unwrap());
    for path in ["heartbeat", "online"] {
        call(&app, &mitra, &format!("/api/mitra/status/{path}"))
            .await
            .problem("mitra_deactivated", 403);
    }
    let status = status(&app, &mitra).await;
    assert_eq!(
        (&status["online"], &status["active"]),
        (&false.into(), &false.into())
    );
}

async fn who_may_work_again_goes_online_by_itself(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    set_active(&app, mitra.user_id, false).await;
    set_active(&app, mitra.user_id, true).await;

    let taken = heartbeat(&app, &mitra).await.expect(200).json();
    assert_eq!(taken["online"], false);
    assert!(available(&app).await.is_empty());
    go_online(&app, &mitra).await;
    assert_eq!(beacon(&app).await["available_mitras"], 1);
}

async fn a_limit_counts_at_once(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    set_load(&app, mitra.user_id, 1).await;
    for (limit, found) in [(1, 0), (2, 1), (0, 0), (3, 1)] {
        set_max_sessions(&app, mitra.user_id, limit).await;
        assert_eq!(available(&app).await.len(), found, "of {limit}");
        assert_eq!(beacon(&app).await["available_mitras"], found, "of {limit}");
    }
    assert_eq!(status(&app, &mitra).await["capacity"]["max"], 3);
}

async fn a_mitra_that_was_never_online_can_be_judged(plan: Plan) {
    let app = plan.start().await;
    let (barred, limited) = (testing::mitra(&app).await, testing::mitra(&app).await);
    set_active(&app, barred.user_id, false).await;
    set_max_sessions(&app, limited.user_id, 7).await;
    heartbeat(&app, &barred)
        .await
        .problem("mitra_deactivated", 403);
    assert_eq!(go_online(&app, &limited).await["capacity"]["max"], 7);
}

async fn what_is_rolled_back_changes_nothing(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    let db = app.context().db.clone();
    let mut client = db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let decided = port(&app)
        .set_active(&tx, mitra.user_id, false)
        .await
        .unwrap();
    drop((decided, tx));
    drop(client);
    app.run_sweep("valkey-online-mirror").await;
    assert_eq!(available(&app).await.len(), 1);
    heartbeat(&app, &mitra).await.expect(200);
}

async fn a_caller_that_goes_away_after_its_commit_is_made_good(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    let db = app.context().db.clone();
    let mut client = db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let decided = port(&app)
        .set_active(&tx, mitra.user_id, false)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    drop(decided);
    eventually("the mirror follows", || async {
        available(&app).await.is_empty()
    })
    .await;
}

async fn a_decision_is_told_once_it_is_shown(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    let mut events = app.context().bus.subscribe(AVAILABILITY_CHANGED);
    for active in [false, true] {
        set_active(&app, mitra.user_id, active).await;
        let told = loop {
            if let Event::Message(told) = events.next().await {
                break serde_json::from_slice::<AvailabilityChanged>(&told).unwrap();
            }
        };
        let expected = AvailabilityChanged {
            mitra_id: mitra.user_id,
            online: false,
            active,
        };
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn a_decision_shows_in_every_key_and_on_every_replica() {
    let app = start().await;
    let replica = app.replica().await;
    let mitra = online_mitra(&app).await;
    let (keys, id) = (Keys::of(&app), mitra.user_id.to_string());
    assert_eq!(available(&replica).await.len(), 1);

    set_active(&app, mitra.user_id, false).await;
    assert!(keys.set("mitras:deactivated").await.contains(&id));
    assert!(!keys.set("mitras:online").await.contains(&id));
    assert!(!keys.exists(&format!("mitra:heartbeat:{id}")).await);
    assert_eq!(drift(&app).await, Vec::<String>::new());
    assert!(available(&replica).await.is_empty());
    heartbeat(&replica, &mitra)
        .await
        .problem("mitra_deactivated", 403);

    set_active(&replica, mitra.user_id, true).await;
    assert!(!keys.exists("mitras:deactivated").await);
    assert_eq!(drift(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn decisions_and_switches_at_once_leave_the_mirror_exact() {
    let app = start().await;
    let replica = app.replica().await;
    let mitra = online_mitra(&app).await;
    let decisions = async {
        for round in 0..20 {
            set_active(&app, mitra.user_id, round % 2 == 1).await;
            set_max_sessions(&app, mitra.user_id, round).await;
        }
    };
    let switches = async {
        for _ in 0..20 {
            call(&replica, &mitra, "/api/mitra/status/online").await;
            call(&replica, &mitra, "/api/mitra/status/offline").await;
        }
    };
    tokio::join!(decisions, switches);
    assert_eq!(drift(&app).await, Vec::<String>::new());
}

/// Decides, as the control center does.
async fn set_active(app: &TestApp, mitra_id: Uuid, is_active: bool) {
    let db: Db = app.context().db.clone();
    let mut client = db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let decided = port(app)
        .set_active(&tx, mitra_id, is_active)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    decided.run().await;
}

async fn set_max_sessions(app: &TestApp, mitra_id: Uuid, max_sessions: i32) {
    let db: Db = app.context().db.clone();
    let mut client = db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let decided = port(app)
        .set_max_sessions(&tx, mitra_id, max_sessions)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    decided.run().await;
}
