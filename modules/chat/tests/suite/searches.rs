//! A session's search for another mitra follows the rules of every request: who is blocked is not asked,
//! waves ask one after the other, and what ends the session ends the search, whoever has it in hand.

use std::time::Duration;

use halobestie_auth::testing::customer;
use halobestie_testkit::{TestApp, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::blocks::block;
use crate::reroutes::{reroute, search};
use crate::waves::{asked, in_order, waves_of_two};
use crate::world::{accept, ask, offers, online_mitra, socket, start, talk, talk_of, text};

const SECOND: Duration = Duration::from_secs(1);

/// The request by which the only session looks for another mitra.
async fn search_of_all(app: &TestApp) -> Value {
    const SQL: &str = "SELECT id FROM chat_requests WHERE reroute_of IS NOT NULL";
    let id: Uuid = app.database.row(SQL, &[]).await.get(0);
    json!({"id": id})
}

#[tokio::test]
async fn neither_who_is_blocked_nor_who_had_it_is_asked() {
    let app = start().await;
    let talk = talk(&app).await;
    let (barred, shy, other) = (
        online_mitra(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let me = talk.customer.user_id;
    block(&app, &talk.customer, barred.user_id)
        .await
        .expect(201);
    block(&app, &shy, me).await.expect(201);
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    let open = search(&app, &other).await;

    // Not when they list their offers, not when they connect, not when workers look again.
    let nobody = [barred, shy, talk.mitra.clone()];
    for mitra in &nobody {
        assert_eq!(offers(&app, mitra).await, Vec::<String>::new());
        let mut socket = socket(&app, mitra).await;
        app.clock.advance(SECOND * 2);
        app.settle().await;
        let mut told = socket.so_far().await;
        told.retain(|it| it["type"] == "offer.new");
        assert_eq!(told, [] as [Value; 0]);
        accept(&app, mitra, &open).await.problem("not_found", 404);
    }
    assert_eq!(asked(&app, &open, &nobody).await, [false; 3]);
    accept(&app, &other, &open).await.expect(200);
}

#[tokio::test]
async fn a_block_takes_the_offer_of_a_session_back() {
    let app = start().await;
    let replica = app.replica().await;
    let talk = talk(&app).await;
    let other = online_mitra(&app).await;
    let mut at_other = socket(&replica, &other).await;
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    let offered = at_other.expect("offer.new").await["offer"].clone();
    block(&app, &talk.customer, other.user_id).await.expect(201);
    let gone = at_other.expect("offer.gone").await;
    assert_eq!(gone["request_id"], offered["request_id"]);
    let open = json!({"id": offered["request_id"]});
    accept(&app, &other, &open).await.problem("not_found", 404);
    app.clock.advance(SECOND * 2);
    app.settle().await;
    assert_eq!(offers(&replica, &other).await, Vec::<String>::new());
}

#[tokio::test]
async fn waves_ask_for_a_session_that_looks_for_another_mitra() {
    let app = start().await;
    let mut mitras = in_order(&app, 5).await;
    let talk = talk_of(&app, customer(&app).await, mitras.remove(0)).await;
    waves_of_two(&app).await;
    let mut at_me = socket(&app, &talk.customer).await;
    let mut at_first = socket(&app, &mitras[0]).await;
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    let offered = at_first.expect("offer.new").await["offer"].clone();
    assert!(offered["remaining_seconds"].is_u64(), "{offered}");
    let open = search_of_all(&app).await;
    assert_eq!(
        asked(&app, &open, &mitras).await,
        [true, true, false, false]
    );
    assert_eq!(
        offers(&app, &mitras[2]).await,
        Vec::<String>::new(),
        "its wave is not due"
    );
    app.clock.advance(SECOND * 10);
    eventually("the second wave is asked", || async {
        asked(&app, &open, &mitras).await == [true; 4]
    })
    .await;
    // Nobody is left for a third, and whoever comes then is asked at once.
    app.clock.advance(SECOND * 10);
    let is_open_to_all = || async {
        const SQL: &str = "SELECT exclusive_until IS NULL, offered_to FROM chat_requests
            WHERE reroute_of IS NOT NULL";
        let row = app.database.row(SQL, &[]).await;
        assert_eq!(row.get::<_, i32>(1), 4);
        row.get(0)
    };
    eventually("the third wave is empty", is_open_to_all).await;
    let late = online_mitra(&app).await;
    assert_eq!(offers(&app, &late).await, [text(&open, "id")]);
    assert_eq!(offers(&app, &talk.mitra).await, Vec::<String>::new());
    accept(&app, &late, &open).await.expect(200);
    let mut told = at_me.so_far().await;
    told.retain(|it| it["type"] == "request.updated");
    assert_eq!(told, [] as [Value; 0], "the search is not the customer's");
}

#[tokio::test]
async fn an_end_waits_for_whoever_offers_the_session_and_closes_its_search() {
    const LOCK: &str = "SELECT 1 FROM chat_requests WHERE reroute_of IS NOT NULL FOR NO KEY UPDATE";
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let app = start().await;
    let talk = talk(&app).await;
    let other = online_mitra(&app).await;
    reroute(&app, &talk, &talk.mitra).await.expect(202);
    let open = search(&app, &other).await;

    // As a worker that is just asking more mitras.
    let db = app.database.db();
    let mut client = db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    halobestie_core::pg::Query::execute(&tx, LOCK, &[])
        .await
        .unwrap();
    let release = async {
        eventually("the end waits", || async {
            app.database.row(WAITING, &[]).await.get::<_, i64>(0) > 0
        })
        .await;
        tx.commit().await.unwrap();
    };
    let (ended, ()) = tokio::join!(talk.end(&app, &talk.customer), release);
    ended.expect(200);
    accept(&app, &other, &open)
        .await
        .problem("offer_cancelled", 409);
    ask(&app, &talk.customer, json!({"package_id": "15m"}))
        .await
        .expect(201);
}
