//! Waves, and what it costs to keep offering.

use std::time::Duration;

use halobestie_auth::testing::{SignedIn, customer};
use halobestie_core::app::Role;
use halobestie_core::pg::Query;
use halobestie_testkit::{TestApp, eventually};
use serde_json::{Value, json};

use crate::people::{many_mitras, many_requests, metric, offer_count, set};
use crate::world::{
    accept, ask, decline, offers, online_mitra, plan, read_request, request, socket, start,
    talk_of, text,
};

const SECOND: Duration = Duration::from_secs(1);

/// Waves of two, ten seconds each, as soon as this server knows.
pub(crate) async fn waves_of_two(app: &TestApp) {
    set(app, "pairing.wave_seconds", json!(10)).await;
    set(app, "pairing.wave_size", json!(2)).await;
    let is_known = || async {
        // What the next request would do is what the cache says.
        let me = customer(app).await;
        let open = ask(app, &me, json!({"package_id": "15m"})).await;
        let asked = open.json()["offered_to"] == 2;
        let path = format!(
            "/api/customer/chat/requests/{}/cancel",
            text(&open.json(), "id")
        );
        app.post(&path)
            .bearer(&me.access_token)
            .send()
            .await
            .expect(200);
        asked
    };
    eventually("waves are on", is_known).await;
}

/// Mitras who went online one after the other, a second apart.
pub(crate) async fn in_order(app: &TestApp, count: usize) -> Vec<SignedIn> {
    let mut mitras = Vec::new();
    for _ in 0..count {
        mitras.push(online_mitra(app).await);
        app.clock.advance(SECOND);
    }
    mitras
}

/// Whether each of these mitras has been asked, by the rows alone: looking at its list could ask it.
pub(crate) async fn asked(app: &TestApp, request: &Value, mitras: &[SignedIn]) -> Vec<bool> {
    let id: uuid::Uuid = text(request, "id").parse().unwrap();
    const SQL: &str = "SELECT mitra_id FROM chat_offers WHERE request_id = $1";
    let rows = app.database.db().rows(SQL, &[&id]).await.unwrap();
    let asked: Vec<uuid::Uuid> = rows.iter().map(|row| row.get(0)).collect();
    mitras
        .iter()
        .map(|it| asked.contains(&it.user_id))
        .collect()
}

#[tokio::test]
async fn waves_ask_those_who_have_been_idle_the_longest_first() {
    let app = start().await;
    let replica = app.replica().await;
    let mut mitras = in_order(&app, 5).await;
    // The first has just ended a session, and so is the last now.
    let talk = talk_of(&app, customer(&app).await, mitras.remove(0)).await;
    talk.end(&app, &talk.mitra).await.expect(200);
    mitras.push(talk.mitra);
    waves_of_two(&app).await;

    let me = customer(&app).await;
    let mut at_me = socket(&replica, &me).await;
    let open = request(&app, &me).await;
    assert_eq!(open["offered_to"], 2);
    let told = at_me.expect("request.updated").await;
    assert_eq!(told["request"]["offered_to"], 2);
    assert_eq!(
        asked(&app, &open, &mitras).await,
        [true, true, false, false, false]
    );
    assert!(
        offers(&app, &mitras[2]).await.is_empty(),
        "its wave is not due"
    );
    accept(&app, &mitras[2], &open)
        .await
        .problem("not_found", 404);

    app.clock.advance(SECOND * 10);
    let told = at_me.expect("request.updated").await;
    assert_eq!(told["request"]["offered_to"], 4);
    assert_eq!(
        asked(&app, &open, &mitras).await,
        [true, true, true, true, false]
    );
    app.clock.advance(SECOND * 10);
    let told = at_me.expect("request.updated").await;
    assert_eq!(told["request"]["offered_to"], 5);
    // Everybody was asked: who comes now is asked at once.
    let late = online_mitra(&app).await;
    assert_eq!(offers(&replica, &late).await, [text(&open, "id")]);
    accept(&replica, &late, &open).await.expect(200);
}

#[tokio::test]
async fn waves_go_on_after_a_restart() {
    let app = start().await;
    let mitras = in_order(&app, 4).await;
    waves_of_two(&app).await;
    let me = customer(&app).await;
    let open = request(&app, &me).await;
    let app = app.restart().await;
    assert_eq!(
        asked(&app, &open, &mitras).await,
        [true, true, false, false]
    );
    app.clock.advance(SECOND * 9);
    assert_eq!(
        asked(&app, &open, &mitras).await,
        [true, true, false, false]
    );
    app.clock.advance(SECOND);
    eventually("the second wave is asked", || async {
        asked(&app, &open, &mitras).await == [true; 4]
    })
    .await;
    assert_eq!(read_request(&app, &me, &open).await["offered_to"], 4);
}

#[tokio::test]
async fn when_a_whole_wave_declines_the_next_is_asked_at_once() {
    let app = start().await;
    let mitras = in_order(&app, 4).await;
    waves_of_two(&app).await;
    let open = request(&app, &customer(&app).await).await;
    decline(&app, &mitras[0], &open).await.expect(204);
    assert_eq!(
        asked(&app, &open, &mitras).await,
        [true, true, false, false]
    );
    // The clock stands still.
    decline(&app, &mitras[1], &open).await.expect(204);
    assert_eq!(asked(&app, &open, &mitras).await, [true; 4]);
    assert!(offers(&app, &mitras[0]).await.is_empty(), "it said no");
}

#[tokio::test]
async fn the_preferred_mitra_comes_before_the_waves() {
    let app = start().await;
    let mitras = in_order(&app, 4).await;
    waves_of_two(&app).await;
    let me = customer(&app).await;
    let wish = json!({"package_id": "15m", "preferred_mitra_id": mitras[3].user_id});
    let open = ask(&app, &me, wish).await.expect(201).json();
    assert_eq!(
        asked(&app, &open, &mitras).await,
        [false, false, false, true]
    );
    app.clock.advance(SECOND * 20);
    eventually("the first wave is asked", || async {
        asked(&app, &open, &mitras).await == [true, true, false, true]
    })
    .await;
}

#[tokio::test]
async fn many_workers_ask_each_wave_once() {
    let app = start().await;
    let (second, third) = (app.replica().await, app.replica().await);
    let mitras = in_order(&app, 8).await;
    waves_of_two(&app).await;
    for server in [&second, &third] {
        server
            .context()
            .settings
            .refresh(&server.context().db)
            .await
            .unwrap();
    }
    let me = customer(&app).await;
    let open = request(&app, &me).await;
    for wave in 2..=4 {
        app.clock.advance(SECOND * 10);
        let count = wave * 2;
        eventually("the wave is asked", || async {
            read_request(&app, &me, &open).await["offered_to"] == count
        })
        .await;
        for server in [&app, &second, &third] {
            server.settle().await;
        }
        let asked = asked(&app, &open, &mitras).await;
        assert_eq!(asked.iter().filter(|it| **it).count(), count);
    }
}

/// Lets a worker look for somebody to ask once, and waits until it is done and has considered so many
/// pairs; what the look has cost in statements.
async fn look(app: &TestApp, pairs: u64) -> u64 {
    const PAIRS: &str = "halobestie_chat_pairs_considered_total";
    let (considered, statements) = (metric(app, PAIRS).await, app.statement_count());
    app.clock.advance(SECOND);
    eventually("a look begins", || async {
        app.statement_count() > statements
    })
    .await;
    eventually("the pairs are considered", || async {
        metric(app, PAIRS).await == considered + pairs
    })
    .await;
    app.settle().await;
    assert_eq!(metric(app, PAIRS).await, considered + pairs);
    app.statement_count() - statements
}

#[tokio::test]
async fn a_pair_of_a_request_and_a_mitra_is_considered_once() {
    let app = start().await;
    let ends = app.clock.now() + SECOND * 600;
    // Enough for several statements, and for a busy machine within its patience.
    many_mitras(&app, 1000).await;
    many_requests(&app, 30, ends).await;
    look(&app, 30_000).await;
    assert_eq!(offer_count(&app).await, 30_000);
    for _ in 0..3 {
        look(&app, 0).await;
    }
    // A new mitra with all requests, then a new request with all mitras.
    many_mitras(&app, 1).await;
    look(&app, 30).await;
    many_requests(&app, 1, ends).await;
    look(&app, 1001).await;
    assert_eq!(offer_count(&app).await, 31 * 1001);
    const WRONG: &str = "SELECT count(*) FROM chat_requests WHERE offered_to <> 1001";
    let wrong: i64 = app.database.row(WRONG, &[]).await.get(0);
    assert_eq!(wrong, 0, "offered_to is what was offered");
}

#[tokio::test]
async fn a_look_without_news_is_a_few_statements_however_many_there_are() {
    // What other services of the worker may send meanwhile, once more or once less.
    const OTHERS: u64 = 5;
    let costs = |mitras: i32, requests: i32| async move {
        let app = start().await;
        many_mitras(&app, mitras).await;
        many_requests(&app, requests, app.clock.now() + SECOND * 600).await;
        look(&app, (mitras * requests).try_into().unwrap()).await;
        look(&app, 0).await
    };
    let (few, many) = (costs(2, 2).await, costs(300, 50).await);
    assert!(many <= few + OTHERS, "{many} statements, and {few} for few");
}

#[tokio::test]
async fn an_api_process_asks_nobody_by_itself() {
    let app = plan().role(Role::Api).start().await;
    let me = customer(&app).await;
    online_mitra(&app).await;
    let open = request(&app, &me).await;
    let late = online_mitra(&app).await;
    app.clock.advance(SECOND * 5);
    assert_eq!(read_request(&app, &me, &open).await["offered_to"], 1);
    assert_eq!(offers(&app, &late).await, [text(&open, "id")]);
    assert_eq!(read_request(&app, &me, &open).await["offered_to"], 2);
}
