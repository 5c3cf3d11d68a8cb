//! Time: ends, warnings, and what a start makes up for.

use std::time::Duration;

use halobestie_core::app::Role;
use halobestie_core::pg::Query;
use halobestie_testkit::{TestApp, eventually};
use serde_json::json;

use crate::world::{plan, socket, start, talk, text};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_session_is_warned_of_and_ends_at_its_time() {
    let app = start().await;
    let talk = talk(&app).await;
    let mut at_customer = socket(&app, &talk.customer).await;
    let mut at_mitra = socket(&app, &talk.mitra).await;
    app.clock.advance(MINUTE * 12 - Duration::from_secs(1));
    assert!(
        !at_mitra
            .so_far()
            .await
            .iter()
            .any(|it| it["type"] == "session.expiring")
    );
    app.clock.advance(Duration::from_secs(1));
    for socket in [&mut at_customer, &mut at_mitra] {
        assert_eq!(
            socket.expect("session.expiring").await["remaining_seconds"],
            180
        );
    }
    app.clock.advance(MINUTE * 2);
    for socket in [&mut at_customer, &mut at_mitra] {
        assert_eq!(
            socket.expect("session.expiring").await["remaining_seconds"],
            60
        );
    }
    app.clock.advance(MINUTE);
    for socket in [&mut at_customer, &mut at_mitra] {
        let told = socket.expect("session.updated").await;
        assert_eq!(told["reason"], "expired");
        assert_eq!(told["session"]["ended_at"], told["session"]["expires_at"]);
    }
    talk.send(&app, &talk.customer, "late")
        .await
        .problem("session_not_active", 409);
    let mitra = &talk.mitra.access_token;
    eventually("the mitra's seat is free again", || async {
        let status = app
            .get("/api/mitra/status")
            .bearer(mitra)
            .send()
            .await
            .json();
        status["capacity"]["in_use"] == 0
    })
    .await;
}

#[tokio::test]
async fn each_warning_and_end_is_told_once_however_many_workers_there_are() {
    let app = start().await;
    let replica = app.replica().await;
    let talk = talk(&app).await;
    let mut at_customer = socket(&replica, &talk.customer).await;
    for minutes in [12, 2, 1] {
        app.clock.advance(MINUTE * minutes);
        look_again(&app, &replica).await;
        look_again(&app, &replica).await;
    }
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "session.updated") {
        told.push(text(&at_customer.next().await, "type"));
    }
    told.extend(
        at_customer
            .so_far()
            .await
            .iter()
            .map(|frame| text(frame, "type")),
    );
    // What the accept has told of its request may be on its way to the replica still.
    told.retain(|kind| kind != "request.updated");
    assert_eq!(
        told,
        ["session.expiring", "session.expiring", "session.updated"]
    );
    const ENDS: &str = "SELECT count(*) FROM chat_events WHERE event = 'session_expired'";
    let ends: i64 = app.database.db().row(ENDS, &[]).await.unwrap().get(0);
    assert_eq!(ends, 1);
}

/// Lets both timekeepers look once more, and do what is due.
async fn look_again(app: &TestApp, replica: &TestApp) {
    let before = [app, replica].map(TestApp::statement_count);
    app.clock.advance(Duration::from_secs(1));
    eventually("both have looked", || async {
        let now = [app, replica].map(TestApp::statement_count);
        now[0] > before[0] && now[1] > before[1]
    })
    .await;
    app.settle().await;
    replica.settle().await;
}

#[tokio::test]
async fn a_warning_that_nobody_gave_in_time_is_given_late() {
    let app = start().await;
    let talk = talk(&app).await;
    let mut at_mitra = socket(&app, &talk.mitra).await;
    // As if it had come so far while nobody could look.
    const NEARER: &str = "UPDATE chat_sessions SET expires_at = $1";
    let end = app.clock.now() + Duration::from_secs(50);
    app.database.execute(NEARER, &[&end]).await;
    app.clock.advance(Duration::from_secs(1));
    let warned = at_mitra.expect("session.expiring").await;
    assert_eq!(warned["remaining_seconds"], 49);
}

#[tokio::test]
async fn an_overdue_session_takes_no_messages_even_before_a_worker_has_seen_it() {
    let app = plan().role(Role::Api).start().await;
    let talk = talk(&app).await;
    app.clock.advance(MINUTE * 15);
    talk.send(&app, &talk.customer, "late")
        .await
        .problem("session_not_active", 409);
    let ended = talk.end(&app, &talk.customer).await.expect(200).json();
    assert_eq!(ended["end_reason"], "expired");
    assert_eq!(ended["ended_at"], ended["expires_at"]);
}

#[tokio::test]
async fn a_start_ends_what_was_overdue() {
    let app = plan().role(Role::Api).start().await;
    let talk = talk(&app).await;
    let plan = app.another();
    app.clock.advance(MINUTE * 20);
    assert_eq!(talk.show(&app, &talk.mitra).await["status"], "active");
    app.stop().await;
    // An API process again, without timekeeper: it is the start itself that makes up for it.
    let app = plan.start().await;
    let session = talk.show(&app, &talk.mitra).await;
    assert_eq!(
        (&session["status"], &session["end_reason"]),
        (&json!("ended"), &json!("expired"))
    );
}

#[tokio::test]
async fn without_valkey_timers_and_sockets_work_in_one_process() {
    let app = plan().no_valkey().start().await;
    let talk = talk(&app).await;
    let mut at_customer = socket(&app, &talk.customer).await;
    talk.send(&app, &talk.mitra, "1").await.expect(201);
    at_customer.expect("message.new").await;
    app.clock.advance(MINUTE * 15);
    at_customer
        .expect_where("session.updated", |it| it["reason"] == "expired")
        .await;
}
