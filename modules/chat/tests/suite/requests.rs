//! Requests: what stands in the way of one, cancel, expiry, idempotency.

use std::time::Duration;

use halobestie_auth::testing::customer;
use serde_json::json;

use crate::world::{
    accept, ask, offers, online_mitra, read_request, request, socket, start, talk, text,
};

#[tokio::test]
async fn without_a_mitra_there_is_no_request() {
    let app = start().await;
    let customer = customer(&app).await;
    let refused = ask(&app, &customer, json!({"package_id": "15m"})).await;
    refused.problem("no_mitra_available", 409);
    online_mitra(&app).await;
    request(&app, &customer).await;
}

#[tokio::test]
async fn a_customer_has_one_open_request_and_one_open_session() {
    let app = start().await;
    let (me, mitra) = (customer(&app).await, online_mitra(&app).await);
    let open = request(&app, &me).await;
    let again = || ask(&app, &me, json!({"package_id": "15m"}));
    again().await.problem("request_open", 409);
    accept(&app, &mitra, &open).await.expect(200);
    again().await.problem("session_open", 409);
}

#[tokio::test]
async fn what_is_asked_for_is_checked() {
    let app = start().await;
    let me = customer(&app).await;
    online_mitra(&app).await;
    let wrong = [
        (json!({"package_id": "free"}), "package_id"),
        (
            json!({"package_id": "15m", "topic": "x".repeat(201)}),
            "topic",
        ),
        (json!({"package_id": "15m", "topic": "nul \0"}), "topic"),
        (
            json!({"package_id": "15m", "preferred_mitra_id": "me"}),
            "preferred_mitra_id",
        ),
        (json!({"package_id": 15}), "package_id"),
    ];
    for (body, field) in wrong {
        let problem = ask(&app, &me, body).await.problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
}

#[tokio::test]
async fn a_request_can_be_taken_back_and_nobody_gets_it_then() {
    let app = start().await;
    let (me, mitra) = (customer(&app).await, online_mitra(&app).await);
    let mut at_mitra = socket(&app, &mitra).await;
    let open = request(&app, &me).await;
    let path = format!("/api/customer/chat/requests/{}/cancel", text(&open, "id"));
    for _ in 0..2 {
        let answer = app
            .post(&path)
            .bearer(&me.access_token)
            .send()
            .await
            .expect(200);
        assert_eq!(answer.json()["status"], "cancelled");
    }
    assert_eq!(at_mitra.expect("offer.gone").await["reason"], "cancelled");
    assert!(offers(&app, &mitra).await.is_empty());
    accept(&app, &mitra, &open)
        .await
        .problem("offer_cancelled", 409);
    request(&app, &me).await;
}

#[tokio::test]
async fn a_request_that_was_matched_cannot_be_taken_back() {
    let app = start().await;
    let (me, mitra) = (customer(&app).await, online_mitra(&app).await);
    let open = request(&app, &me).await;
    accept(&app, &mitra, &open).await.expect(200);
    let path = format!("/api/customer/chat/requests/{}/cancel", text(&open, "id"));
    let refused = app.post(&path).bearer(&me.access_token).send().await;
    refused.problem("request_closed", 409);
}

#[tokio::test]
async fn a_request_expires() {
    let app = start().await;
    let (me, mitra) = (customer(&app).await, online_mitra(&app).await);
    let mut at_me = socket(&app, &me).await;
    let mut at_mitra = socket(&app, &mitra).await;
    let open = request(&app, &me).await;
    at_mitra.expect("offer.new").await;
    app.clock.advance(Duration::from_secs(60));
    let told = at_me.expect_where("request.updated", |it| it["request"]["status"] == "expired");
    assert_eq!(told.await["request"]["id"], open["id"]);
    assert_eq!(at_mitra.expect("offer.gone").await["reason"], "expired");
    accept(&app, &mitra, &open)
        .await
        .problem("offer_expired", 409);
    assert_eq!(read_request(&app, &me, &open).await["status"], "expired");
}

#[tokio::test]
async fn an_overdue_request_cannot_be_accepted_even_before_a_worker_has_seen_it() {
    let app = crate::world::plan()
        .role(halobestie_core::app::Role::Api)
        .start()
        .await;
    let (me, mitra) = (customer(&app).await, online_mitra(&app).await);
    let open = request(&app, &me).await;
    app.clock.advance(Duration::from_secs(60));
    accept(&app, &mitra, &open)
        .await
        .problem("offer_expired", 409);
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let app = start().await;
    let me = customer(&app).await;
    online_mitra(&app).await;
    let ask = |key: &'static str, body| {
        let call = app
            .post("/api/customer/chat/requests")
            .bearer(&me.access_token);
        call.header("idempotency-key", key).json(&body).send()
    };
    let first = ask("a", json!({"package_id": "15m"})).await.expect(201);
    let again = ask("a", json!({"package_id": "15m"})).await.expect(201);
    assert_eq!(first.body, again.body);
    ask("a", json!({"package_id": "30m"}))
        .await
        .problem("idempotency_conflict", 409);
    ask("b", json!({"package_id": "15m"}))
        .await
        .problem("request_open", 409);
}

#[tokio::test]
async fn other_peoples_requests_do_not_exist() {
    let app = start().await;
    let (me, stranger) = (customer(&app).await, customer(&app).await);
    let mitra = online_mitra(&app).await;
    let open = request(&app, &me).await;
    let path = format!("/api/customer/chat/requests/{}", text(&open, "id"));
    let foreign = app.get(&path).bearer(&stranger.access_token).send().await;
    foreign.problem("not_found", 404);
    let cancel = app
        .post(&format!("{path}/cancel"))
        .bearer(&stranger.access_token)
        .send()
        .await;
    cancel.problem("not_found", 404);
    app.get(&path)
        .bearer(&mitra.access_token)
        .send()
        .await
        .problem("forbidden", 403);
    app.get(&path).send().await.problem("unauthenticated", 401);
    assert_eq!(read_request(&app, &me, &open).await["status"], "searching");
}

#[tokio::test]
async fn roles_are_kept_apart() {
    let app = start().await;
    let talk = talk(&app).await;
    let as_mitra = ask(&app, &talk.mitra, json!({"package_id": "15m"})).await;
    as_mitra.problem("forbidden", 403);
    let call = app
        .get("/api/mitra/chat/offers")
        .bearer(&talk.customer.access_token);
    call.send().await.problem("forbidden", 403);
}
