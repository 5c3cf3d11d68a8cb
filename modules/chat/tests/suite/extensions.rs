//! More time for a session.

use std::time::Duration;

use halobestie_auth::testing::{SignedIn, customer};
use halobestie_core::ports::Delivery;
use halobestie_testkit::{TestApp, TestResponse, eventually};
use serde_json::json;
use uuid::Uuid;

use crate::audit;
use crate::till;
use crate::world::{Talk, socket, start, talk, text};

const MINUTE: Duration = Duration::from_secs(60);

async fn extend(app: &TestApp, talk: &Talk, by: &SignedIn, package: &str) -> TestResponse {
    let call = app.post(&talk.path("/extensions")).bearer(&by.access_token);
    call.json(&json!({"package_id": package})).send().await
}

/// Two people in a session that was paid.
async fn paid_talk(app: &TestApp) -> Talk {
    let talk = talk(app).await;
    till::pay(app, talk.id.parse().unwrap()).await;
    talk
}

/// An extension that is to be paid.
async fn unpaid_extension(app: &TestApp, talk: &Talk) -> Uuid {
    let made = extend(app, talk, &talk.customer, "30m").await.expect(201);
    text(&made.json(), "id").parse().unwrap()
}

#[tokio::test]
async fn where_nothing_is_to_be_paid_it_is_applied_at_once_and_the_warnings_come_again() {
    let app = start().await;
    let talk = talk(&app).await;
    let mut at_mitra = socket(&app, &talk.mitra).await;
    // A jump over both warnings gives the nearest alone.
    app.clock.advance(MINUTE * 14);
    let warned = at_mitra.expect("session.expiring").await;
    assert_eq!(warned["remaining_seconds"], 60);
    let before = talk.show(&app, &talk.customer).await;
    let made = extend(&app, &talk, &talk.customer, "30m")
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&made["status"], &made["minutes"], &made["payment"]),
        (&json!("applied"), &json!(30), &json!(null))
    );
    assert_eq!(made["session"]["remaining_seconds"], 31 * 60);
    assert_ne!(made["session"]["expires_at"], before["expires_at"]);
    let told = at_mitra.expect("session.updated").await;
    assert_eq!(told["reason"], "extended");
    for (minutes, left) in [(28, 180), (2, 60)] {
        app.clock.advance(MINUTE * minutes);
        assert_eq!(
            at_mitra.expect("session.expiring").await["remaining_seconds"],
            left
        );
    }
    app.clock.advance(MINUTE);
    let told = at_mitra.expect("session.updated").await;
    assert_eq!(told["reason"], "expired");
}

#[tokio::test]
async fn otherwise_it_is_applied_when_it_is_paid() {
    let app = till::plan().start().await;
    let talk = paid_talk(&app).await;
    let made = extend(&app, &talk, &talk.customer, "30m")
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&made["status"], &made["payment"]["amount"]),
        (&json!("pending_payment"), &json!(45_000))
    );
    assert_eq!(made["session"]["remaining_seconds"], 900);
    extend(&app, &talk, &talk.customer, "15m")
        .await
        .problem("extension_pending", 409);
    app.clock.advance(MINUTE);
    let id = text(&made, "id").parse().unwrap();
    for _ in 0..2 {
        assert_eq!(till::pay(&app, id).await, Delivery::Delivered);
        let session = talk.show(&app, &talk.customer).await;
        assert_eq!(session["remaining_seconds"], 44 * 60);
    }
    audit::check(&app).await;
    // Nothing waits any more.
    extend(&app, &talk, &talk.customer, "15m").await.expect(201);
}

#[tokio::test]
async fn one_that_lapses_makes_room_for_another_and_still_counts_if_it_is_paid_after_all() {
    let app = till::plan().start().await;
    let talk = paid_talk(&app).await;
    let id = unpaid_extension(&app, &talk).await;
    till::lapse(&app, id).await;
    let second = unpaid_extension(&app, &talk).await;
    assert_eq!(till::pay(&app, id).await, Delivery::Delivered);
    extend(&app, &talk, &talk.customer, "15m")
        .await
        .problem("extension_pending", 409);
    assert_eq!(till::pay(&app, second).await, Delivery::Delivered);
    let session = talk.show(&app, &talk.customer).await;
    assert_eq!(session["remaining_seconds"], 75 * 60);
}

#[tokio::test]
async fn the_end_of_a_session_takes_its_unpaid_extension_back() {
    let app = till::plan().start().await;
    let talk = paid_talk(&app).await;
    let id = unpaid_extension(&app, &talk).await;
    talk.end(&app, &talk.customer).await.expect(200);
    assert_eq!(till::status(&app, id).await.as_deref(), Some("expired"));
    assert_eq!(till::pay(&app, id).await, Delivery::TooLate);
    extend(&app, &talk, &talk.customer, "15m")
        .await
        .problem("session_not_active", 409);
}

#[tokio::test]
async fn a_session_ends_at_its_time_whatever_waits_to_be_paid() {
    let app = till::plan().start().await;
    let talk = paid_talk(&app).await;
    app.clock.advance(MINUTE * 10);
    let id = unpaid_extension(&app, &talk).await;
    app.clock.advance(MINUTE * 5);
    // Over by the clock, whether or not a worker has seen it: nothing can be added.
    assert_eq!(till::pay(&app, id).await, Delivery::TooLate);
    eventually("the session has expired", || async {
        talk.show(&app, &talk.mitra).await["end_reason"] == "expired"
    })
    .await;
    let session = talk.show(&app, &talk.mitra).await;
    assert_eq!(session["ended_at"], session["expires_at"]);
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_extension_again() {
    let app = start().await;
    let talk = talk(&app).await;
    let extend = |key: &'static str, package: &'static str| {
        let call = app.post(&talk.path("/extensions"));
        call.bearer(&talk.customer.access_token)
            .header("idempotency-key", key)
            .json(&json!({"package_id": package}))
            .send()
    };
    let first = extend("a", "15m").await.expect(201);
    let again = extend("a", "15m").await.expect(201);
    assert_eq!(first.body, again.body);
    extend("a", "30m")
        .await
        .problem("idempotency_conflict", 409);
    let session = talk.show(&app, &talk.customer).await;
    assert_eq!(session["remaining_seconds"], 30 * 60);
    extend("b", "15m").await.expect(201);
}

#[tokio::test]
async fn at_most_a_day_may_be_left() {
    let app = start().await;
    let talk = talk(&app).await;
    for _ in 0..23 {
        extend(&app, &talk, &talk.customer, "60m").await.expect(201);
    }
    extend(&app, &talk, &talk.customer, "60m")
        .await
        .problem("extension_limit", 409);
    extend(&app, &talk, &talk.customer, "30m").await.expect(201);
}

#[tokio::test]
async fn only_the_customer_of_a_running_session_extends_it() {
    let app = till::plan().start().await;
    let (talk, stranger) = (talk(&app).await, customer(&app).await);
    extend(&app, &talk, &talk.customer, "15m")
        .await
        .problem("session_not_active", 409);
    till::pay(&app, talk.id.parse().unwrap()).await;
    extend(&app, &talk, &talk.mitra, "15m")
        .await
        .problem("forbidden", 403);
    extend(&app, &talk, &stranger, "15m")
        .await
        .problem("not_found", 404);
    let wrong = extend(&app, &talk, &talk.customer, "free").await;
    let problem = wrong.problem("validation_failed", 422);
    assert_eq!(problem["errors"][0]["field"], "package_id");
}

#[tokio::test]
async fn an_extension_that_cannot_be_charged_has_not_happened() {
    let app = till::plan().start().await;
    let talk = paid_talk(&app).await;
    till::break_call(&app, "charge").await;
    let refused = extend(&app, &talk, &talk.customer, "15m").await;
    assert_eq!(refused.status, 500);
    till::mend(&app).await;
    extend(&app, &talk, &talk.customer, "15m").await.expect(201);
}
