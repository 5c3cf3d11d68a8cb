//! Sessions that go from one mitra to another: why, with what time, and when nobody takes them.

use std::time::Duration;

use futures_util::future::join_all;
use halobestie_auth::testing::{SignedIn, customer};
use halobestie_testkit::{TestApp, TestResponse, eventually, eventually_some};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit;
use crate::till;
use crate::world::{
    Talk, accept, ask, offers, online_mitra, plan, receive, set_active, socket, start, talk,
};

const MINUTE: Duration = Duration::from_secs(60);

async fn reroute(app: &TestApp, talk: &Talk, by: &SignedIn) -> TestResponse {
    let call = app.post(&talk.path("/reroute")).bearer(&by.access_token);
    call.json(&json!({"reason": "my shift is over"}))
        .send()
        .await
}

/// The request by which a session is offered to this mitra.
async fn search(app: &TestApp, mitra: &SignedIn) -> Value {
    let offered = eventually_some("the session is offered", || async {
        offers(app, mitra).await.first().cloned()
    });
    json!({"id": offered.await})
}

async fn becomes(app: &TestApp, talk: &Talk, status: &str) -> Value {
    let seen = eventually_some(status, || async {
        let session = talk.show(app, &talk.customer).await;
        (session["status"] == status).then_some(session)
    });
    seen.await
}

async fn go_offline(app: &TestApp, mitra: &SignedIn) {
    app.post("/api/mitra/status/offline")
        .bearer(&mitra.access_token)
        .send()
        .await
        .expect(200);
}

async fn in_use(app: &TestApp, mitra: &SignedIn) -> Value {
    let call = app.get("/api/mitra/status").bearer(&mitra.access_token);
    call.send().await.json()["capacity"]["in_use"].clone()
}

#[tokio::test]
async fn a_session_goes_on_with_another_mitra_and_the_time_that_was_left() {
    let app = start().await;
    let talk = talk(&app).await;
    let other = online_mitra(&app).await;
    let mut at_customer = socket(&app, &talk.customer).await;
    let mut at_mitra = socket(&app, &talk.mitra).await;
    let mut at_other = socket(&app, &other).await;
    talk.send(&app, &talk.customer, "1").await.expect(201);
    talk.send(&app, &talk.mitra, "2").await.expect(201);
    app.clock.advance(MINUTE * 5);

    let session = reroute(&app, &talk, &talk.mitra).await.expect(202).json();
    assert_eq!(
        (&session["status"], &session["remaining_seconds"]),
        (&json!("rerouting"), &json!(600))
    );
    assert_eq!(session["expires_at"], json!(null));
    for socket in [&mut at_customer, &mut at_mitra] {
        let told = socket.expect("session.updated").await;
        assert_eq!(told["reason"], "rerouting");
    }
    talk.send(&app, &talk.customer, "3")
        .await
        .problem("session_not_active", 409);
    let offer = at_other.expect("offer.new").await["offer"].clone();
    assert_eq!(offer["remaining_seconds"], 600);
    assert_eq!(offers(&app, &talk.mitra).await, Vec::<String>::new());

    // The clock stands.
    app.clock.advance(MINUTE);
    let open = json!({"id": offer["request_id"]});
    let taken = accept(&app, &other, &open).await.expect(200).json();
    assert_eq!(
        (&taken["id"], &taken["status"]),
        (&json!(talk.id), &json!("active"))
    );
    assert_eq!(taken["remaining_seconds"], 600);
    assert_eq!(taken["expires_at"], json!(app.clock.now() + MINUTE * 10));
    assert_eq!(
        (&taken["unread"], &taken["last_seq"]),
        (&json!(1), &json!(2))
    );
    for socket in [&mut at_customer, &mut at_mitra, &mut at_other] {
        let told = socket
            .expect_where("session.updated", |it| it["reason"] == "taken")
            .await;
        assert_eq!(told["session"]["mitra"]["id"], json!(other.user_id));
    }
    assert_eq!(in_use(&app, &talk.mitra).await, 0);
    assert_eq!(in_use(&app, &other).await, 1);

    // Who has it now reads what was said, and talks on; who had it sees nothing of it any more.
    talk.send(&app, &talk.customer, "3").await.expect(201);
    assert_eq!(receive(&mut at_other, 3).await, [1, 2, 3]);
    for path in ["", "/messages"] {
        let call = app.get(&talk.path(path)).bearer(&talk.mitra.access_token);
        call.send().await.problem("not_found", 404);
    }
    talk.send(&app, &talk.mitra, "late")
        .await
        .problem("not_found", 404);
    talk.end(&app, &talk.mitra).await.problem("not_found", 404);
    let heard = at_mitra.so_far().await;
    assert!(
        heard.iter().all(|it| it["message"]["seq"] != 3),
        "{heard:?}"
    );
    let mut had = at_customer.so_far().await;
    had.retain(|it| it["type"] == "request.updated");
    assert_eq!(had, Vec::<Value>::new(), "the search is not the customer's");
}

#[tokio::test]
async fn a_session_that_nobody_takes_ends_and_its_time_is_credited() {
    let app = till::plan().start().await;
    let talk = talk(&app).await;
    till::pay(&app, talk.id.parse().unwrap()).await;
    let other = online_mitra(&app).await;
    app.clock.advance(MINUTE * 5);
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    let open = search(&app, &other).await;
    let mut at_other = socket(&app, &other).await;
    app.clock.advance(Duration::from_secs(119));
    app.settle().await;
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "rerouting");
    app.clock.advance(Duration::from_secs(1));
    let session = becomes(&app, &talk, "ended").await;
    assert_eq!(session["end_reason"], "reroute_failed");
    at_other.expect("offer.gone").await;
    accept(&app, &other, &open)
        .await
        .problem("offer_expired", 409);
    let credit = till::credit(&app, talk.id.parse().unwrap()).await;
    assert_eq!(credit, Some((600, 900)));
    audit::check(&app).await;
    eventually("the mitra's seat is free", || async {
        in_use(&app, &talk.mitra).await == 0
    })
    .await;
}

#[tokio::test]
async fn it_is_never_offered_to_those_who_had_it() {
    let app = start().await;
    let mut talk = talk(&app).await;
    let first = talk.mitra.clone();
    let others = [online_mitra(&app).await, online_mitra(&app).await];
    for other in others {
        reroute(&app, &talk, &talk.mitra).await.expect(202);
        let open = search(&app, &other).await;
        accept(&app, &first, &open).await.problem("not_found", 404);
        accept(&app, &other, &open).await.expect(200);
        talk.mitra = other;
    }
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    for mitra in [&first, &talk.mitra] {
        assert_eq!(offers(&app, mitra).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn giving_it_away_twice_is_once() {
    let app = start().await;
    let talk = talk(&app).await;
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    // Without a body as well.
    let bare = app
        .post(&talk.path("/reroute"))
        .bearer(&talk.mitra.access_token);
    bare.send().await.expect(202);
    let sql = "SELECT count(*), min(note) FROM chat_events WHERE event = 'session_rerouted'";
    let row = app.database.row(sql, &[]).await;
    assert_eq!(
        (row.get::<_, i64>(0), row.get::<_, &str>(1)),
        (1, "my shift is over")
    );
    // It is not its to end any more.
    talk.end(&app, &talk.mitra)
        .await
        .problem("session_state", 409);
}

#[tokio::test]
async fn only_the_mitra_of_a_running_session_gives_it_away() {
    let app = till::plan().start().await;
    let (talk, stranger) = (talk(&app).await, online_mitra(&app).await);
    reroute(&app, &talk, &talk.mitra)
        .await
        .problem("session_not_active", 409);
    till::pay(&app, talk.id.parse().unwrap()).await;
    reroute(&app, &talk, &talk.customer)
        .await
        .problem("forbidden", 403);
    reroute(&app, &talk, &stranger)
        .await
        .problem("not_found", 404);
    let long = app
        .post(&talk.path("/reroute"))
        .bearer(&talk.mitra.access_token);
    long.json(&json!({"reason": "x".repeat(201)}))
        .send()
        .await
        .problem("validation_failed", 422);
    talk.end(&app, &talk.customer).await.expect(200);
    reroute(&app, &talk, &talk.mitra)
        .await
        .problem("session_not_active", 409);
}

#[tokio::test]
async fn a_mitra_that_goes_offline_loses_its_sessions_to_others() {
    let app = start().await;
    let talk = talk(&app).await;
    let other = online_mitra(&app).await;
    go_offline(&app, &talk.mitra).await;
    // The clock stands still: the bus has told it.
    becomes(&app, &talk, "rerouting").await;
    let open = search(&app, &other).await;
    accept(&app, &other, &open).await.expect(200);
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "active");
}

#[tokio::test]
async fn so_does_one_that_is_deactivated() {
    let app = start().await;
    let talk = talk(&app).await;
    set_active(&app, talk.mitra.user_id, false).await;
    becomes(&app, &talk, "rerouting").await;
}

#[tokio::test]
async fn so_does_one_that_falls_silent_once_it_is_taken_offline() {
    let app = plan().env("MITRA_STALE_SECONDS", "90").start().await;
    let talk = talk(&app).await;
    app.clock.advance(Duration::from_secs(91));
    app.settle().await;
    app.run_sweep("mitra-auto-offline").await;
    becomes(&app, &talk, "rerouting").await;
}

#[tokio::test]
async fn a_mitra_that_is_gone_is_found_though_the_bus_has_lost_it() {
    let app = start().await;
    let talk = talk(&app).await;
    let sql = "UPDATE mitras SET is_online = false WHERE mitra_id = $1";
    app.database.execute(sql, &[&talk.mitra.user_id]).await;
    app.clock.advance(Duration::from_secs(5));
    becomes(&app, &talk, "rerouting").await;
}

#[tokio::test]
async fn a_mitra_that_leaves_the_first_message_unanswered_loses_the_session() {
    let app = start().await;
    let talk = talk(&app).await;
    // Silence on both sides is nobody's fault.
    app.clock.advance(MINUTE * 4);
    talk.send(&app, &talk.customer, "1").await.expect(201);
    app.clock.advance(Duration::from_secs(179));
    app.settle().await;
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "active");
    app.clock.advance(Duration::from_secs(1));
    let session = becomes(&app, &talk, "rerouting").await;
    assert_eq!(session["remaining_seconds"], (15 - 4 - 3) * 60);
    let sql = "SELECT note FROM chat_events WHERE event = 'session_rerouted'";
    let row = app.database.row(sql, &[]).await;
    assert_eq!(row.get::<_, &str>(0), "unanswered");
}

#[tokio::test]
async fn a_mitra_that_has_answered_may_be_silent_and_one_that_took_over_must_answer_anew() {
    let app = start().await;
    let mut talk = talk(&app).await;
    let other = online_mitra(&app).await;
    talk.send(&app, &talk.customer, "1").await.expect(201);
    app.clock.advance(MINUTE);
    talk.send(&app, &talk.mitra, "2").await.expect(201);
    talk.send(&app, &talk.customer, "3").await.expect(201);
    app.clock.advance(MINUTE * 5);
    app.settle().await;
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "active");

    reroute(&app, &talk, &talk.mitra).await.expect(202);
    let open = search(&app, &other).await;
    accept(&app, &other, &open).await.expect(200);
    talk.mitra = other;
    app.clock.advance(Duration::from_secs(179));
    app.settle().await;
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "active");
    app.clock.advance(Duration::from_secs(1));
    becomes(&app, &talk, "rerouting").await;
}

#[tokio::test]
async fn without_the_rule_a_mitra_may_take_its_time() {
    let app = plan().env("FIRST_RESPONSE_SECONDS", "0").start().await;
    let talk = talk(&app).await;
    talk.send(&app, &talk.customer, "1").await.expect(201);
    app.clock.advance(MINUTE * 14);
    app.settle().await;
    assert_eq!(talk.show(&app, &talk.customer).await["status"], "active");
}

#[tokio::test]
async fn a_customer_may_end_the_search_and_nobody_gets_the_session_then() {
    let app = start().await;
    let talk = talk(&app).await;
    let other = online_mitra(&app).await;
    let mut at_other = socket(&app, &other).await;
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    let open = search(&app, &other).await;
    // The search is nobody's request.
    let asked = ask(&app, &talk.customer, json!({"package_id": "15m"})).await;
    asked.problem("session_open", 409);
    let path = format!(
        "/api/customer/chat/requests/{}",
        open["id"].as_str().unwrap()
    );
    let call = app.get(&path).bearer(&talk.customer.access_token);
    call.send().await.problem("not_found", 404);
    let cancel = app.post(&format!("{path}/cancel"));
    let cancel = cancel.bearer(&talk.customer.access_token).send().await;
    cancel.problem("not_found", 404);

    let ended = talk.end(&app, &talk.customer).await.expect(200).json();
    assert_eq!(ended["end_reason"], "customer_ended");
    assert_eq!(at_other.expect("offer.gone").await["reason"], "cancelled");
    accept(&app, &other, &open)
        .await
        .problem("offer_cancelled", 409);
    ask(&app, &talk.customer, json!({"package_id": "15m"}))
        .await
        .expect(201);
}

#[tokio::test]
async fn an_end_and_accepts_at_once_have_one_winner() {
    let app = start().await;
    let replica = app.replica().await;
    let others = join_all((0..6).map(|_| online_mitra(&app))).await;
    for _ in 0..6 {
        let talk = talk(&app).await;
        reroute(&app, &talk, &talk.mitra).await.expect(202);
        let mut open = json!(null);
        for other in &others {
            open = search(&app, other).await;
        }
        let accepts = others
            .iter()
            .zip([&app, &replica].into_iter().cycle())
            .map(|(other, server)| accept(server, other, &open));
        let (answers, end) = tokio::join!(join_all(accepts), talk.end(&replica, &talk.customer));
        assert_eq!(end.status, 200);
        let winners = answers.iter().filter(|it| it.status == 200).count();
        assert!(winners <= 1, "{winners} have won");
        for loser in answers.iter().filter(|it| it.status != 200) {
            assert_eq!(loser.status, 409);
        }
        let sql = "SELECT count(*) FROM chat_requests WHERE status = 'searching'";
        assert_eq!(app.database.row(sql, &[]).await.get::<_, i64>(0), 0);
        for other in &others {
            assert_eq!(offers(&app, other).await, Vec::<String>::new());
        }
        // The first mitra must not stand in the way of the next round.
        go_offline(&app, &talk.mitra).await;
    }
}

#[tokio::test]
async fn time_is_bought_while_the_clock_stands_as_well() {
    let app = start().await;
    let talk = talk(&app).await;
    let other = online_mitra(&app).await;
    app.clock.advance(MINUTE * 14);
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    let call = app
        .post(&talk.path("/extensions"))
        .bearer(&talk.customer.access_token);
    let made = call.json(&json!({"package_id": "15m"})).send().await;
    let made = made.expect(201).json();
    assert_eq!(
        (
            &made["status"],
            &made["session"]["status"],
            &made["session"]["remaining_seconds"]
        ),
        (&json!("applied"), &json!("rerouting"), &json!(16 * 60))
    );
    let open = search(&app, &other).await;
    let taken = accept(&app, &other, &open).await.expect(200).json();
    assert_eq!(taken["remaining_seconds"], 16 * 60);
}

#[tokio::test]
async fn a_mitra_at_its_capacity_cannot_take_over() {
    let app = plan().env("MITRA_MAX_SESSIONS_DEFAULT", "1").start().await;
    let other = online_mitra(&app).await;
    let first = talk(&app).await;
    reroute(&app, &first, &first.mitra).await.expect(202);
    let open = search(&app, &other).await;
    let me = customer(&app).await;
    let asked = ask(&app, &me, json!({"package_id": "15m"})).await;
    accept(&app, &other, &asked.expect(201).json())
        .await
        .expect(200);
    accept(&app, &other, &open)
        .await
        .problem("capacity_reached", 409);
}

#[tokio::test]
async fn who_missed_that_its_session_was_taken_hears_of_it() {
    let app = start().await;
    let talk = talk(&app).await;
    let mut at_mitra = socket(&app, &talk.mitra).await;
    let taker = Uuid::from_u128(1);
    // As if another process had done it and the bus had lost every word.
    let sql = "UPDATE chat_sessions SET mitra_id = $2, version = version + 2, last_change = 'taken'
        WHERE id = $1";
    let id: Uuid = talk.id.parse().unwrap();
    app.database.execute(sql, &[&id, &taker]).await;
    let told = at_mitra.expect("session.updated").await;
    assert_eq!(told["reason"], "taken");
}
