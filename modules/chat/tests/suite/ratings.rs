//! Ratings and reports.

use std::time::Duration;

use halobestie_auth::testing::{SignedIn, customer};
use halobestie_testkit::{TestApp, TestResponse};
use serde_json::{Value, json};

use crate::world::{Talk, online_mitra, start, talk};

impl Talk {
    async fn rate(&self, app: &TestApp, by: &SignedIn, body: Value) -> TestResponse {
        let call = app.post(&self.path("/rating")).bearer(&by.access_token);
        call.json(&body).send().await
    }

    pub(crate) async fn report(&self, app: &TestApp, by: &SignedIn, body: Value) -> TestResponse {
        let call = app.post(&self.path("/report")).bearer(&by.access_token);
        call.json(&body).send().await
    }
}

#[tokio::test]
async fn a_session_is_rated_once() {
    let app = start().await;
    let talk = talk(&app).await;
    talk.end(&app, &talk.mitra).await.expect(200);
    let said = json!({"stars": 4, "comment": "Thank you."});
    let rating = talk.rate(&app, &talk.customer, said.clone()).await;
    let rating = rating.expect(201).json();
    assert_eq!(rating["stars"], 4);
    assert_eq!(rating["comment"], "Thank you.");
    assert_eq!(rating["session_id"], talk.id);
    assert_eq!(rating["mitra_id"], json!(talk.mitra.user_id));
    // A lost answer that is asked for again, and a change of mind.
    let again = talk
        .rate(&app, &talk.customer, said)
        .await
        .expect(200)
        .json();
    assert_eq!(again, rating);
    let other = talk.rate(&app, &talk.customer, json!({"stars": 1})).await;
    other.problem("already_rated", 409);
}

#[tokio::test]
async fn a_rating_is_checked_and_the_customers_own() {
    let app = start().await;
    let talk = talk(&app).await;
    for stars in [
        json!(0),
        json!(6),
        json!(-1),
        json!(4.5),
        json!("5"),
        json!(null),
    ] {
        let refused = talk
            .rate(&app, &talk.customer, json!({"stars": stars}))
            .await;
        let problem = refused.problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], "stars", "{stars}");
    }
    let long = json!({"stars": 5, "comment": "x".repeat(1001)});
    let problem = talk
        .rate(&app, &talk.customer, long)
        .await
        .problem("validation_failed", 422);
    assert_eq!(problem["errors"][0]["field"], "comment");
    let five = || json!({"stars": 5, "comment": " "});
    talk.rate(&app, &talk.mitra, five())
        .await
        .problem("forbidden", 403);
    let stranger = customer(&app).await;
    talk.rate(&app, &stranger, five())
        .await
        .problem("not_found", 404);
    let rating = talk
        .rate(&app, &talk.customer, five())
        .await
        .expect(201)
        .json();
    assert_eq!(rating["comment"], Value::Null);
}

#[tokio::test]
async fn a_session_that_has_not_begun_cannot_be_rated() {
    let app = start().await;
    let talk = talk(&app).await;
    // One that was never paid for has no start.
    const SQL: &str = "UPDATE chat_sessions SET status = 'ended', end_reason = 'payment_expired',
        started_at = NULL, expires_at = NULL, ended_at = created_at";
    app.database.execute(SQL, &[]).await;
    let refused = talk.rate(&app, &talk.customer, json!({"stars": 5})).await;
    refused.problem("session_state", 409);
}

#[tokio::test]
async fn a_report_keeps_the_last_fifty_messages() {
    let app = start().await;
    let talk = talk(&app).await;
    for index in 1..=60 {
        talk.send(&app, &talk.mitra, &index.to_string())
            .await
            .expect(201);
    }
    let said = json!({"reason": "harassment", "details": "Since the tenth message."});
    let report = talk
        .report(&app, &talk.customer, said)
        .await
        .expect(201)
        .json();
    assert_eq!(report["reported_id"], json!(talk.mitra.user_id));
    assert_eq!(report["reason"], "harassment");
    assert_eq!(
        report["evidence"],
        Value::Null,
        "it is not the reporter's to edit"
    );
    app.database.execute("DELETE FROM chat_messages", &[]).await;
    let kept = app
        .database
        .row("SELECT evidence, reported_id FROM chat_reports", &[])
        .await;
    let evidence: Value = kept.get("evidence");
    let seqs: Vec<i64> = crate::world::seqs(evidence.as_array().unwrap());
    assert_eq!(seqs, (11..=60).collect::<Vec<i64>>());
    let last = &evidence[49];
    assert_eq!(last["body"], "says 60");
    assert_eq!(last["sender_id"], json!(talk.mitra.user_id));
    assert_eq!(last["sent_at"], "2026-01-15T08:00:00.000Z");
}

#[tokio::test]
async fn both_sides_may_report_also_without_a_message() {
    let app = start().await;
    let talk = talk(&app).await;
    talk.end(&app, &talk.customer).await.expect(200);
    let report = talk.report(&app, &talk.mitra, json!({"reason": "spam", "details": ""}));
    let report = report.await.expect(201).json();
    assert_eq!(report["reported_id"], json!(talk.customer.user_id));
    assert_eq!(report["details"], Value::Null);
    let stranger = online_mitra(&app).await;
    let refused = talk
        .report(&app, &stranger, json!({"reason": "spam"}))
        .await;
    refused.problem("not_found", 404);
    for (body, field) in [
        (json!({}), "reason"),
        (json!({"reason": " "}), "reason"),
        (json!({"reason": "x".repeat(201)}), "reason"),
        (
            json!({"reason": "spam", "details": "x".repeat(4001)}),
            "details",
        ),
    ] {
        let refused = talk.report(&app, &talk.mitra, body.clone()).await;
        let problem = refused.problem("validation_failed", 422);
        let told = problem.to_string();
        assert!(told.contains(field), "{body} got {told}");
    }
}

#[tokio::test]
async fn ten_reports_a_day_are_taken() {
    let app = start().await;
    let talk = talk(&app).await;
    let report = || talk.report(&app, &talk.mitra, json!({"reason": "spam"}));
    for _ in 0..10 {
        report().await.expect(201);
        app.clock.advance(Duration::from_secs(60));
    }
    let refused = report().await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 24 * 3600 - 600);
    let other_side = talk.report(&app, &talk.customer, json!({"reason": "spam"}));
    other_side.await.expect(201);
}
