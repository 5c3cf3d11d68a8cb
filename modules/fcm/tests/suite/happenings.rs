//! What people are told of offers, messages and sessions, and how.

use std::time::Duration;

use halobestie_sandbox::google::Push;
use serde_json::json;

use crate::world::{Talk, World, accept, request};

/// The last push of a type that a device got.
fn last(world: &World, token: &str, kind: &str) -> Push {
    let pushes = world.google().pushes_to(token).into_iter();
    let mut of_kind = pushes.filter(|it| it.data("type") == Some(kind));
    let push = of_kind.next_back();
    push.unwrap_or_else(|| panic!("no {kind} among {:#?}", world.google().pushes_to(token)))
}

fn kinds(world: &World, token: &str) -> Vec<String> {
    let pushes = world.google().pushes_to(token).into_iter();
    pushes
        .map(|it| it.data("type").unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_offer_wakes_every_mitra_for_as_long_as_it_lives_and_is_taken_away_from_all() {
    let world = World::start().await;
    let (first, first_token) = world.mitra("first").await;
    let (_, second_token) = world.mitra("second").await;
    let (customer, customer_token) = world.customer("customer").await;
    let asked = request(&world.app, &customer).await;
    world.app.finish_jobs().await;
    let request_id = asked["id"].as_str().unwrap();
    for token in [&first_token, &second_token] {
        let push = last(&world, token, "offer.new");
        assert_eq!(push.data("request_id"), Some(request_id));
        assert_eq!(push.data("expires_at"), asked["expires_at"].as_str());
        assert_eq!((push.priority(), push.ttl()), (Some("high"), Some("60s")));
        assert_eq!(
            push.collapse_key(),
            Some(format!("offer:{request_id}").as_str())
        );
        assert_eq!(push.title(), Some("Ada permintaan chat baru"));
    }
    accept(&world.app, &first, &asked).await;
    world.app.finish_jobs().await;
    for token in [&first_token, &second_token] {
        let push = last(&world, token, "offer.gone");
        assert_eq!(
            (push.data("request_id"), push.data("reason")),
            (Some(request_id), Some("taken"))
        );
        assert_eq!((push.title(), push.body()), (None, None));
        assert_eq!(
            push.collapse_key(),
            Some(format!("offer:{request_id}").as_str())
        );
    }
    let begun = last(&world, &customer_token, "session.updated");
    assert_eq!(begun.data("status"), Some("active"));
}

#[tokio::test]
async fn an_offer_that_is_gone_is_not_sent_any_more() {
    let world = World::start().await;
    let (_, token) = world.mitra("mitra").await;
    let (customer, _) = world.customer("customer").await;
    world.google().knobs.down().await;
    let asked = request(&world.app, &customer).await;
    world.app.finish_jobs().await;
    let path = format!(
        "/api/customer/chat/requests/{}/cancel",
        asked["id"].as_str().unwrap()
    );
    let call = world.app.post(&path).bearer(&customer.access_token);
    call.send().await.expect(200);
    world.google().knobs.up().await;
    world.pass(30).await;
    assert_eq!(kinds(&world, &token), ["offer.gone"]);
    assert_eq!(
        world
            .metric("halobestie_fcm_dropped_total{reason=\"no_news\"}")
            .await,
        1
    );
}

#[tokio::test]
async fn an_offer_that_nobody_took_is_taken_away() {
    let world = World::start().await;
    let (_, token) = world.mitra("mitra").await;
    let (customer, _) = world.customer("customer").await;
    request(&world.app, &customer).await;
    world.app.finish_jobs().await;
    world.app.clock.advance(Duration::from_secs(61));
    halobestie_testkit::eventually("it is gone", || async {
        kinds(&world, &token) == ["offer.new", "offer.gone"]
    })
    .await;
    assert_eq!(
        last(&world, &token, "offer.gone").data("reason"),
        Some("expired")
    );
}

#[tokio::test]
async fn messages_are_told_by_sender_and_count_without_what_they_say() {
    let world = World::start().await;
    let talk = Talk::start(&world).await;
    for mark in ["1", "2", "3"] {
        talk.send(&world.app, &talk.customer, mark).await;
    }
    world.app.finish_jobs().await;
    assert!(
        Talk::told_of_messages(&world, &talk.mitra_token).is_empty(),
        "sockets have their time"
    );
    world.app.clock.advance(Duration::from_secs(3));
    world.app.finish_jobs().await;
    let push = last(&world, &talk.mitra_token, "message.new");
    assert_eq!(push.data("session_id"), Some(talk.id.as_str()));
    assert_eq!(push.data("unread"), Some("3"));
    assert_eq!(push.title(), Some(talk.customer.display_name.as_str()));
    assert_eq!(push.body(), Some("3 pesan belum dibaca."));
    assert_eq!(
        push.collapse_key(),
        Some(format!("messages:{}", talk.id).as_str())
    );
    assert!(
        !push.message.to_string().contains("says"),
        "{}",
        push.message
    );
    // Nobody is told of what they wrote.
    assert!(Talk::told_of_messages(&world, &talk.customer_token).is_empty());
}

#[tokio::test]
async fn what_a_message_says_is_shown_where_that_is_wished() {
    let world = World::with(&[("PUSH_SHOW_TEXT", "true")]).await;
    let talk = Talk::start(&world).await;
    talk.send(&world.app, &talk.mitra, "hello").await;
    world.app.clock.advance(Duration::from_secs(3));
    world.app.finish_jobs().await;
    let push = last(&world, &talk.customer_token, "message.new");
    assert_eq!(push.body(), Some("says hello"));
    let kept = "SELECT count(*) FROM jobs WHERE payload::text LIKE '%says%'";
    assert_eq!(world.app.database.row(kept, &[]).await.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn people_are_told_in_their_language() {
    let world = World::start().await;
    let talk = Talk::start(&world).await;
    let call = world
        .app
        .patch("/api/auth/me")
        .bearer(&talk.customer.access_token);
    call.json(&json!({"language": "en"}))
        .send()
        .await
        .expect(200);
    talk.send(&world.app, &talk.mitra, "1").await;
    world.app.clock.advance(Duration::from_secs(3));
    world.app.finish_jobs().await;
    let push = last(&world, &talk.customer_token, "message.new");
    assert_eq!(push.body(), Some("Sent you a message."));
}

#[tokio::test]
async fn the_end_is_announced_and_told() {
    let world = World::start().await;
    let talk = Talk::start(&world).await;
    for seconds in [12 * 60, 2 * 60, 60] {
        world.app.clock.advance(Duration::from_secs(seconds));
        world.app.settle().await;
        world.app.finish_jobs().await;
    }
    for token in [&talk.customer_token, &talk.mitra_token] {
        let told: Vec<String> = kinds(&world, token);
        let warnings = told.iter().filter(|it| *it == "session.expiring").count();
        assert_eq!(warnings, 2, "{told:?}");
        let push = last(&world, token, "session.expiring");
        assert_eq!((push.ttl(), push.priority()), (Some("60s"), Some("high")));
        let over = last(&world, token, "session.updated");
        assert_eq!(over.data("status"), Some("ended"));
        assert_eq!(over.data("end_reason"), Some("expired"));
        assert_eq!(over.collapse_key(), push.collapse_key());
    }
}

#[tokio::test]
async fn whoever_ends_a_session_is_not_told_of_it() {
    let world = World::start().await;
    let talk = Talk::start(&world).await;
    let call = world
        .app
        .post(&talk.path("/end"))
        .bearer(&talk.customer.access_token);
    call.send().await.expect(200);
    world.app.finish_jobs().await;
    let push = last(&world, &talk.mitra_token, "session.updated");
    assert_eq!(push.data("end_reason"), Some("customer_ended"));
    let begun = last(&world, &talk.customer_token, "session.updated");
    assert_eq!(begun.data("status"), Some("active"));
}

#[tokio::test]
async fn a_session_that_looks_for_another_mitra_says_so_and_asks_the_others() {
    let world = World::start().await;
    let talk = Talk::start(&world).await;
    let (_, other_token) = world.mitra("another mitra").await;
    let call = world
        .app
        .post(&talk.path("/reroute"))
        .bearer(&talk.mitra.access_token);
    call.json(&json!({})).send().await.expect(202);
    world.app.finish_jobs().await;
    let paused = last(&world, &talk.customer_token, "session.updated");
    assert_eq!(paused.data("status"), Some("rerouting"));
    assert_eq!(kinds(&world, &other_token), ["offer.new"]);
}

#[tokio::test]
async fn each_platform_is_told_in_its_own_way() {
    let world = World::start().await;
    let (person, _) = world.customer("android").await;
    for platform in ["ios", "web"] {
        let body = json!({"token": world.google().device(platform), "platform": platform});
        let call = world.app.put("/api/devices").bearer(&person.access_token);
        call.json(&body).send().await.expect(204);
    }
    world.notify(&[person.user_id], &crate::world::over()).await;
    world.app.finish_jobs().await;
    let ios = last(&world, &world.google().device("ios"), "session.updated");
    assert_eq!(ios.apns_header("apns-priority"), Some("10"));
    assert_eq!(ios.apns_header("apns-push-type"), Some("alert"));
    assert!(ios.message["android"].is_null());
    let web = last(&world, &world.google().device("web"), "session.updated");
    assert_eq!(web.message["webpush"]["headers"]["Urgency"], "high");
}
