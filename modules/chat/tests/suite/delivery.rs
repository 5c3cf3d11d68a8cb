//! Delivery across servers: everything, in order, whatever Valkey loses.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use halobestie_auth::testing::customer;
use halobestie_testkit::{TcpProxy, ValkeyProcess, eventually};
use serde_json::json;

use crate::world::{accept, online_mitra, plan, receive, request, socket, start, talk, text};

/// How late an event may be when the bus has lost it.
const PROMISED: Duration = Duration::from_secs(5);

#[tokio::test]
async fn every_socket_of_both_sides_gets_every_message_in_order() {
    const EACH: usize = 60;
    let app = start().await;
    let replica = app.replica().await;
    let talk = talk(&app).await;
    let mut sockets = [
        socket(&app, &talk.customer).await,
        socket(&replica, &talk.customer).await,
        socket(&app, &talk.mitra).await,
        socket(&replica, &talk.mitra).await,
    ];
    let sends = (0..EACH).flat_map(|index| {
        let mark = index.to_string();
        let (one, other) = (mark.clone(), mark);
        let (talk, app, replica) = (&talk, &app, &replica);
        [(app, &talk.customer, one), (replica, &talk.mitra, other)]
            .map(|(server, from, mark)| async move { talk.send(server, from, &mark).await })
    });
    let answers = join_all(sends);
    let heard = join_all(sockets.iter_mut().map(|socket| receive(socket, 2 * EACH)));
    let (answers, heard) = tokio::join!(answers, heard);
    assert!(answers.iter().all(|answer| answer.status == 201));
    let expected: Vec<i64> = (1..=2 * EACH as i64).collect();
    for numbers in heard {
        assert_eq!(numbers, expected);
    }
}

#[tokio::test]
async fn a_dropped_socket_resumes_where_it_was() {
    let app = start().await;
    let replica = app.replica().await;
    let talk = talk(&app).await;
    let mut at_customer = socket(&app, &talk.customer).await;
    for index in 1..=3 {
        talk.send(&app, &talk.mitra, &index.to_string())
            .await
            .expect(201);
    }
    assert_eq!(receive(&mut at_customer, 2).await, [1, 2]);
    drop(at_customer);
    for index in 4..=250 {
        talk.send(&app, &talk.mitra, &index.to_string())
            .await
            .expect(201);
    }
    let mut back = socket(&replica, &talk.customer).await;
    // A message that comes before the resume must not overtake what was missed.
    talk.send(&replica, &talk.mitra, "251").await.expect(201);
    let resume = json!({"type": "resume", "sessions": [{"session_id": talk.id, "after_seq": 2}]});
    back.send(&resume).await;
    let expected: Vec<i64> = (3..=251).collect();
    assert_eq!(receive(&mut back, expected.len()).await, expected);
    let resumed = back.expect("resumed").await;
    assert_eq!(
        resumed["sessions"],
        json!([{"session_id": talk.id, "last_seq": 251}])
    );
    talk.send(&app, &talk.mitra, "252").await.expect(201);
    assert_eq!(receive(&mut back, 1).await, [252]);
}

#[tokio::test]
async fn a_socket_that_does_not_resume_gets_what_comes_after_it_came() {
    let app = start().await;
    let talk = talk(&app).await;
    talk.send(&app, &talk.mitra, "1").await.expect(201);
    let mut at_customer = socket(&app, &talk.customer).await;
    talk.send(&app, &talk.mitra, "2").await.expect(201);
    assert_eq!(receive(&mut at_customer, 1).await, [2]);
}

#[tokio::test]
async fn with_valkey_gone_a_whole_story_goes_on_across_two_servers() {
    let mut valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let replica = app.replica().await;
    let (talk, next) = (talk(&app).await, customer(&app).await);
    let mut at_customer = socket(&app, &talk.customer).await;
    let mut at_mitra = socket(&replica, &talk.mitra).await;
    let mut at_next = socket(&app, &next).await;
    talk.send(&app, &talk.customer, "1").await.expect(201);
    assert_eq!(receive(&mut at_mitra, 1).await, [1]);

    valkey.kill().await;
    for (index, (server, from, to)) in [
        (&app, &talk.customer, &mut at_mitra),
        (&replica, &talk.mitra, &mut at_customer),
    ]
    .into_iter()
    .enumerate()
    {
        talk.send(server, from, &format!("gone {index}"))
            .await
            .expect(201);
        let sent = Instant::now();
        let number = index as i64 + 2;
        to.expect_where("message.new", |it| it["message"]["seq"] == number)
            .await;
        assert!(sent.elapsed() < PROMISED, "it took {:?}", sent.elapsed());
    }

    // A new customer finds the mitra, and both learn of it on their own servers.
    let open = request(&app, &next).await;
    let offer = at_mitra.expect("offer.new").await;
    assert_eq!(offer["offer"]["request_id"], open["id"]);
    let session = accept(&replica, &talk.mitra, &open)
        .await
        .expect(200)
        .json();
    let told = at_next.expect("session.updated").await;
    assert_eq!(told["session"]["id"], session["id"]);
    let end = format!("/api/chat/sessions/{}/end", text(&session, "id"));
    app.post(&end)
        .bearer(&next.access_token)
        .send()
        .await
        .expect(200);
    at_mitra
        .expect_where("session.updated", |it| it["session"]["status"] == "ended")
        .await;

    valkey.restart().await;
    eventually("the bus is back", || async {
        app.context().bus.is_connected() && replica.context().bus.is_connected()
    })
    .await;
    talk.send(&app, &talk.customer, "back").await.expect(201);
    at_mitra
        .expect_where("message.new", |it| it["message"]["seq"] == 4)
        .await;
    assert_eq!(talk.history(&app).await.len(), 4);
}

#[tokio::test]
async fn what_was_sent_while_the_bus_blinked_is_found() {
    let proxy = TcpProxy::to_valkey().await;
    let app = plan().start().await;
    // This one alone reaches Valkey through the proxy.
    let replica = app.another().valkey_at(&proxy.valkey_url()).start().await;
    let talk = talk(&app).await;
    let mut at_mitra = socket(&replica, &talk.mitra).await;
    for round in 0..5 {
        proxy.blink();
        talk.send(&app, &talk.customer, &round.to_string())
            .await
            .expect(201);
    }
    assert_eq!(receive(&mut at_mitra, 5).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn an_offer_goes_to_mitras_on_all_servers() {
    let app = start().await;
    let replica = app.replica().await;
    let me = customer(&app).await;
    let (one, other) = (online_mitra(&app).await, online_mitra(&app).await);
    let mut at_one = socket(&app, &one).await;
    let mut at_other = socket(&replica, &other).await;
    let open = request(&app, &me).await;
    for socket in [&mut at_one, &mut at_other] {
        assert_eq!(
            socket.expect("offer.new").await["offer"]["request_id"],
            open["id"]
        );
    }
    accept(&replica, &other, &open).await.expect(200);
    assert_eq!(at_one.expect("offer.gone").await["reason"], "taken");
}
