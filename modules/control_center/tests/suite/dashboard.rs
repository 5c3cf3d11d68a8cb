//! The dashboard's figures and their history.

use std::time::Duration;

use halobestie_auth::testing;
use halobestie_testkit::eventually;
use serde_json::json;

use crate::server::{say, session, world};

#[tokio::test]
async fn the_dashboard_counts_what_goes_on() {
    let world = world().await;
    let app = &world.app;
    let nothing = json!({
        "online_mitras": 0, "available_mitras": 0, "active_sessions": 0,
        "pending_payment_sessions": 0, "searching_requests": 0, "messages_last_minute": 0,
        "paid_today": {"count": 0, "amount": 0},
    });
    assert_eq!(world.get("/api/admin/dashboard").await, nothing);

    let (_, customer, id) = session(app).await;
    say(app, &customer, &id, "hello").await;
    say(app, &customer, &id, "is anybody there?").await;
    let other = testing::customer(app).await;
    let asked = json!({"package_id": "15m"});
    let request = app.post("/api/customer/chat/requests");
    let request = request.bearer(&other.access_token).json(&asked);
    request.send().await.expect(201);
    app.clock.advance(Duration::from_secs(1));
    let now = world.get("/api/admin/dashboard").await;
    let expected = json!({
        "online_mitras": 1, "available_mitras": 1, "active_sessions": 1,
        "pending_payment_sessions": 0, "searching_requests": 1, "messages_last_minute": 2,
        "paid_today": {"count": 0, "amount": 0},
    });
    assert_eq!(now, expected);
}

#[tokio::test]
async fn every_minute_has_one_row_however_many_replicas_there_are() {
    let world = world().await;
    let app = &world.app;
    let replica = app.replica().await;
    let rows = async || {
        let sql = "SELECT count(*) FROM control_center_minutes";
        app.database.row(sql, &[]).await.get::<_, i64>(0)
    };
    for minute in 1..=3 {
        // One replica alone runs it, maybe by itself: then the others do nothing, and its row is to come.
        for server in [app, &replica] {
            server.run_sweep("dashboard-minutes").await;
        }
        eventually("the minute has its row", || async {
            rows().await == minute
        })
        .await;
        for server in [app, &replica] {
            server.run_sweep("dashboard-minutes").await;
        }
        assert_eq!(rows().await, minute);
        app.clock.advance(Duration::from_secs(60));
    }
    app.clock.advance(Duration::from_secs(49 * 3600));
    eventually("what is too old is gone", || async {
        app.run_sweep("dashboard-minutes").await;
        rows().await == 1
    })
    .await;
}
