//! Blocks: two who do not want to meet are never offered to each other, whoever said so.

use std::time::Duration;

use halobestie_auth::testing::{SignedIn, customer, mitra};
use halobestie_testkit::{TestApp, TestResponse};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{
    accept, ask, go_online, offers, online_mitra, request, socket, start, talk, text,
};

pub(crate) async fn block(app: &TestApp, by: &SignedIn, user_id: Uuid) -> TestResponse {
    let call = app.post("/api/chat/blocks").bearer(&by.access_token);
    call.json(&json!({"user_id": user_id})).send().await
}

async fn unblock(app: &TestApp, by: &SignedIn, user_id: Uuid) -> TestResponse {
    let path = format!("/api/chat/blocks/{user_id}");
    let call = app.call(http::Method::DELETE, &path);
    call.bearer(&by.access_token).send().await
}

async fn list(app: &TestApp, by: &SignedIn, query: &str) -> Value {
    let call = app.get(&format!("/api/chat/blocks{query}"));
    call.bearer(&by.access_token)
        .send()
        .await
        .expect(200)
        .json()
}

#[tokio::test]
async fn a_mitra_that_a_customer_has_blocked_is_never_asked() {
    let app = start().await;
    let (me, barred) = (customer(&app).await, online_mitra(&app).await);
    block(&app, &me, barred.user_id).await.expect(201);
    never_meet(&app, &me, &barred).await;
}

#[tokio::test]
async fn a_mitra_that_has_blocked_a_customer_is_never_asked() {
    let app = start().await;
    let (me, barred) = (customer(&app).await, online_mitra(&app).await);
    block(&app, &barred, me.user_id).await.expect(201);
    never_meet(&app, &me, &barred).await;
}

async fn never_meet(app: &TestApp, me: &SignedIn, barred: &SignedIn) {
    let other = online_mitra(app).await;
    // Also where it is preferred: then it counts as away.
    let wish = json!({"package_id": "15m", "preferred_mitra_id": barred.user_id});
    let open = ask(app, me, wish).await.expect(201).json();
    assert_eq!(open["offered_to"], 1);
    // Not when it lists its offers, not when it connects, not when workers look again.
    assert!(offers(app, barred).await.is_empty());
    let mut at_barred = socket(app, barred).await;
    app.clock.advance(Duration::from_secs(2));
    app.settle().await;
    assert_eq!(at_barred.so_far().await, [] as [Value; 0]);
    const ASKED: &str = "SELECT 1 FROM chat_offers WHERE mitra_id = $1";
    let asked = app.database.rows(ASKED, &[&barred.user_id]).await;
    assert!(asked.is_empty());
    accept(app, barred, &open).await.problem("not_found", 404);
    accept(app, &other, &open).await.expect(200);
}

#[tokio::test]
async fn where_all_available_mitras_are_blocked_there_is_none() {
    let app = start().await;
    let (me, barred) = (customer(&app).await, online_mitra(&app).await);
    block(&app, &barred, me.user_id).await.expect(201);
    let refused = ask(&app, &me, json!({"package_id": "15m"})).await;
    refused.problem("no_mitra_available", 409);
    unblock(&app, &barred, me.user_id).await.expect(204);
    request(&app, &me).await;
}

#[tokio::test]
async fn a_block_withdraws_the_open_offer() {
    let app = start().await;
    let replica = app.replica().await;
    let (me, barred, other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let mut at_barred = socket(&replica, &barred).await;
    let open = request(&app, &me).await;
    at_barred.expect("offer.new").await;
    block(&app, &me, barred.user_id).await.expect(201);
    let gone = at_barred.expect("offer.gone").await;
    assert_eq!(gone["request_id"], open["id"]);
    assert!(offers(&app, &barred).await.is_empty());
    accept(&app, &barred, &open).await.problem("not_found", 404);
    accept(&app, &other, &open).await.expect(200);
}

#[tokio::test]
async fn when_the_preferred_mitra_is_blocked_all_others_are_asked_at_once() {
    let app = start().await;
    let (me, preferred, other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let wish = json!({"package_id": "15m", "preferred_mitra_id": preferred.user_id});
    let open = ask(&app, &me, wish).await.expect(201).json();
    block(&app, &preferred, me.user_id).await.expect(201);
    assert_eq!(offers(&app, &other).await, [text(&open, "id")]);
}

#[tokio::test]
async fn an_offer_that_was_made_while_the_block_was_written_is_never_shown() {
    let app = start().await;
    let (me, barred, _other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let open = request(&app, &me).await;
    // The row of the block alone: as if its maker had died before it withdrew the offer.
    const SQL: &str = "INSERT INTO chat_blocks
            (id, blocker_id, blocked_id, customer_id, mitra_id, created_at)
        VALUES (gen_random_uuid(), $1, $2, $1, $2, $3)";
    let now = app.clock.now();
    let mut at_barred = socket(&app, &barred).await;
    at_barred.expect("offer.new").await;
    app.database
        .execute(SQL, &[&me.user_id, &barred.user_id, &now])
        .await;
    assert!(offers(&app, &barred).await.is_empty());
    accept(&app, &barred, &open).await.problem("not_found", 404);
    assert_eq!(
        at_barred.expect("offer.gone").await["request_id"],
        open["id"]
    );
}

#[tokio::test]
async fn blocks_are_listed_and_taken_back_by_whoever_made_them() {
    let app = start().await;
    let me = customer(&app).await;
    let (one, other) = (mitra(&app).await, mitra(&app).await);
    let first = block(&app, &me, one.user_id).await.expect(201).json();
    assert_eq!(first["user_id"], json!(one.user_id));
    assert_eq!(first["display_name"], one.display_name);
    let again = block(&app, &me, one.user_id).await.expect(200).json();
    assert_eq!(again, first);
    app.clock.advance(Duration::from_secs(1));
    block(&app, &me, other.user_id).await.expect(201);
    let all = list(&app, &me, "").await;
    assert_eq!(all["items"][0]["user_id"], json!(other.user_id));
    assert_eq!(all["items"][1], first);
    let page = list(&app, &me, "?limit=1").await;
    let cursor = text(&page, "next_cursor");
    let rest = list(&app, &me, &format!("?limit=1&cursor={cursor}")).await;
    assert_eq!(rest, json!({"items": [first], "next_cursor": null}));
    assert_eq!(
        list(&app, &one, "").await["items"],
        json!([]),
        "it is not told"
    );

    // What the other side has blocked is not mine to take back.
    block(&app, &one, me.user_id).await.expect(201);
    for _ in 0..2 {
        unblock(&app, &me, one.user_id).await.expect(204);
    }
    go_online(&app, &one).await;
    let refused = ask(&app, &me, json!({"package_id": "15m"})).await;
    refused.problem("no_mitra_available", 409);
}

#[tokio::test]
async fn only_somebody_who_could_be_met_can_be_blocked() {
    let app = start().await;
    let (me, they, another) = (
        customer(&app).await,
        mitra(&app).await,
        customer(&app).await,
    );
    let wrong = [
        (&me, me.user_id),
        (&me, another.user_id),
        (&me, Uuid::from_u128(7)),
        (&they, they.user_id),
    ];
    for (by, whom) in wrong {
        let problem = block(&app, by, whom)
            .await
            .problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], "user_id");
    }
    let call = app.post("/api/chat/blocks").bearer(&me.access_token);
    let problem = call.json(&json!({"user_id": "me"})).send().await;
    problem.problem("validation_failed", 422);
    app.get("/api/chat/blocks")
        .send()
        .await
        .problem("unauthenticated", 401);
}

#[tokio::test]
async fn a_user_has_at_most_five_hundred_blocks() {
    let app = start().await;
    let (me, one, more) = (customer(&app).await, mitra(&app).await, mitra(&app).await);
    block(&app, &me, one.user_id).await.expect(201);
    const SQL: &str = "INSERT INTO chat_blocks
            (id, blocker_id, blocked_id, customer_id, mitra_id, created_at)
        SELECT gen_random_uuid(), $1, mitra_id, $1, mitra_id, $2
        FROM (SELECT gen_random_uuid() AS mitra_id FROM generate_series(1, 499)) AS people";
    let now = app.clock.now();
    app.database.execute(SQL, &[&me.user_id, &now]).await;
    block(&app, &me, more.user_id)
        .await
        .problem("too_many_blocks", 409);
    block(&app, &me, one.user_id).await.expect(200);
    unblock(&app, &me, one.user_id).await.expect(204);
    block(&app, &me, more.user_id).await.expect(201);
}

#[tokio::test]
async fn a_session_goes_on_after_a_block() {
    let app = start().await;
    let talk = talk(&app).await;
    block(&app, &talk.customer, talk.mitra.user_id)
        .await
        .expect(201);
    talk.send(&app, &talk.mitra, "bye").await.expect(201);
    talk.end(&app, &talk.customer).await.expect(200);
}
