//! Many at once, over two servers: one accept wins, capacity holds, numbers have no gaps.

use std::collections::HashSet;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use halobestie_auth::testing::{customer, mitra};
use serde_json::Value;

use crate::world::{accept, online_mitra, plan, request, seqs, start, talk};

const MITRAS: usize = 50;

#[tokio::test]
async fn of_many_accepts_at_once_exactly_one_wins() {
    let app = start().await;
    let replica = app.replica().await;
    let me = customer(&app).await;
    let mitras = join_all((0..MITRAS).map(|_| online_mitra(&app))).await;
    let open = request(&app, &me).await;
    assert_eq!(open["offered_to"], MITRAS);
    let servers = [&app, &replica];
    let accepts = mitras
        .iter()
        .enumerate()
        .map(|(index, mitra)| accept(servers[index % 2], mitra, &open));
    let answers = join_all(accepts).await;
    let winners = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(winners, 1);
    for loser in answers.iter().filter(|answer| answer.status != 200) {
        loser.problem("offer_taken", 409);
    }
}

#[tokio::test]
async fn in_a_race_each_gets_its_own_answer_and_few_ask_postgres() {
    let app = start().await;
    let me = customer(&app).await;
    let mitras = join_all((0..MITRAS).map(|_| online_mitra(&app))).await;
    let strangers = join_all((0..5).map(|_| mitra(&app))).await;
    let open = request(&app, &me).await;
    let before = app.statement_count();
    // Everybody presses twice.
    let all = mitras.iter().chain(&strangers).chain(&mitras);
    let answers = join_all(all.map(|mitra| accept(&app, mitra, &open))).await;
    let statements = app.statement_count() - before;

    let (first, rest) = answers.split_at(MITRAS);
    let (strange, second) = rest.split_at(strangers.len());
    for answer in strange {
        answer.problem("not_found", 404);
    }
    let mut sessions = Vec::new();
    for (one, other) in first.iter().zip(second) {
        if one.status == 200 {
            sessions.push(one.json()["id"].clone());
            assert_eq!(
                (other.status.as_u16(), &other.json()["id"]),
                (200, &sessions[0])
            );
        } else {
            one.problem("offer_taken", 409);
            other.problem("offer_taken", 409);
        }
    }
    assert_eq!(sessions.len(), 1);
    assert!(statements < MITRAS as u64, "{statements} statements");
}

#[tokio::test]
async fn a_mitra_that_accepts_everything_at_once_never_exceeds_its_capacity() {
    const REQUESTS: usize = 12;
    const CAPACITY: usize = 3;
    let app = plan()
        .env("MITRA_MAX_SESSIONS_DEFAULT", &CAPACITY.to_string())
        .start()
        .await;
    let replica = app.replica().await;
    let mitra = online_mitra(&app).await;
    let customers = join_all((0..REQUESTS).map(|_| customer(&app))).await;
    let requests = join_all(customers.iter().map(|me| request(&app, me))).await;
    let servers = [&app, &replica];
    let accepts = requests
        .iter()
        .enumerate()
        .map(|(index, it)| accept(servers[index % 2], &mitra, it));
    let answers = join_all(accepts).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        CAPACITY
    );
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.problem("capacity_reached", 409);
    }
    let status = app
        .get("/api/mitra/status")
        .bearer(&mitra.access_token)
        .send()
        .await
        .json();
    assert_eq!(status["capacity"]["in_use"], CAPACITY);
}

#[tokio::test]
async fn an_accept_and_a_cancel_at_once_have_one_winner() {
    let app = start().await;
    let mitra = online_mitra(&app).await;
    for _ in 0..10 {
        let me = customer(&app).await;
        let open = request(&app, &me).await;
        let path = format!(
            "/api/customer/chat/requests/{}/cancel",
            open["id"].as_str().unwrap()
        );
        let cancel = app.post(&path).bearer(&me.access_token).send();
        let (accepted, cancelled) = tokio::join!(accept(&app, &mitra, &open), cancel);
        let (accepted, cancelled) = (accepted.status.as_u16(), cancelled.status.as_u16());
        assert!(
            matches!((accepted, cancelled), (200, 409) | (409, 200)),
            "{accepted} {cancelled}"
        );
        if accepted == 200 {
            let list = app
                .get("/api/chat/sessions?status=active")
                .bearer(&me.access_token);
            let id = list.send().await.json()["items"][0]["id"].clone();
            let end = format!("/api/chat/sessions/{}/end", id.as_str().unwrap());
            app.post(&end)
                .bearer(&me.access_token)
                .send()
                .await
                .expect(200);
        }
    }
}

#[tokio::test]
async fn messages_of_both_sides_at_once_are_numbered_without_gaps() {
    const EACH: usize = 100;
    // A loaded machine must answer each within the kit's patience.
    const AT_ONCE: usize = 100;
    let app = start().await;
    let replica = app.replica().await;
    let talk = talk(&app).await;
    let marks: Vec<String> = (0..EACH).map(|index| format!("m{index}")).collect();
    // Each twice, on both servers: a lost answer that is asked for again.
    let sends = marks.iter().flat_map(|mark| {
        let both = [&talk.customer, &talk.mitra];
        both.into_iter()
            .flat_map(|from| [talk.send(&app, from, mark), talk.send(&replica, from, mark)])
    });
    let answers: Vec<_> = stream::iter(sends).buffered(AT_ONCE).collect().await;
    let written = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(written, 2 * EACH);
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 || answer.status == 201)
    );
    for pair in answers.chunks(2) {
        assert_eq!(
            pair[0].json(),
            pair[1].json(),
            "the same message both times"
        );
    }
    let history: Vec<Value> = talk.history(&app).await;
    let expected: Vec<i64> = (1..=2 * EACH as i64).collect();
    assert_eq!(seqs(&history), expected);
    let ids: HashSet<&str> = history
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 2 * EACH);
}
