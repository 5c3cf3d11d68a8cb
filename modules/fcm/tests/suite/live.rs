//! Messages are pushed to those alone whom no live socket reached.

use std::time::Duration;

use halobestie_auth::testing::SignedIn;
use halobestie_core::app::Role;
use halobestie_testkit::{TestApp, TestSocket};
use serde_json::json;

use crate::world::{Firebase, Talk, World};

async fn socket(app: &TestApp, user: &SignedIn) -> TestSocket {
    let mut socket = app.ws(Some(&user.access_token)).await;
    socket.expect("hello").await;
    // Whoever says something has no resume in mind.
    socket.send(&json!({"type": "ping"})).await;
    socket.expect("pong").await;
    socket
}

async fn later(world: &World) {
    world.app.clock.advance(Duration::from_secs(3));
    world.app.finish_jobs().await;
}

#[tokio::test]
async fn who_has_a_live_socket_is_not_pushed_to() {
    let world = World::start().await;
    let talk = Talk::start(&world).await;
    let mut listening = socket(&world.app, &talk.mitra).await;
    talk.send(&world.app, &talk.customer, "1").await;
    listening.expect("message.new").await;
    world.app.clock.advance(Duration::from_secs(3));
    // Its socket is read, so that it can answer.
    tokio::select! {
        () = world.app.finish_jobs() => {}
        event = listening.next() => panic!("{event}"),
    }
    assert!(Talk::told_of_messages(&world, &talk.mitra_token).is_empty());
}

#[tokio::test]
async fn a_socket_that_does_not_answer_has_not_got_it() {
    let world = World::start().await;
    let talk = Talk::start(&world).await;
    // Nobody reads it: the app was frozen with its connection open.
    let _frozen = socket(&world.app, &talk.mitra).await;
    talk.send(&world.app, &talk.customer, "1").await;
    world.app.settle().await;
    later(&world).await;
    assert_eq!(Talk::told_of_messages(&world, &talk.mitra_token).len(), 1);
}

#[tokio::test]
async fn what_was_read_is_not_pushed() {
    let world = World::start().await;
    let talk = Talk::start(&world).await;
    talk.send(&world.app, &talk.customer, "1").await;
    let read = world
        .app
        .post(&talk.path("/read"))
        .bearer(&talk.mitra.access_token);
    read.json(&json!({"seq": 1})).send().await.expect(204);
    later(&world).await;
    assert!(Talk::told_of_messages(&world, &talk.mitra_token).is_empty());
}

#[tokio::test]
async fn a_socket_that_has_closed_counts_for_nothing() {
    let world = World::start().await;
    let talk = Talk::start(&world).await;
    let mut listening = socket(&world.app, &talk.mitra).await;
    talk.send(&world.app, &talk.customer, "1").await;
    listening.expect("message.new").await;
    drop(listening);
    world.app.settle().await;
    later(&world).await;
    assert_eq!(Talk::told_of_messages(&world, &talk.mitra_token).len(), 1);
}

#[tokio::test]
async fn a_socket_of_another_process_counts() {
    let firebase = Firebase::start().await;
    let app = firebase.plan().role(Role::Api).start().await;
    let world = World { app, firebase };
    let _worker = world.app.another().role(Role::Worker).start().await;
    let talk = Talk::start(&world).await;
    let mut listening = socket(&world.app, &talk.mitra).await;
    talk.send(&world.app, &talk.customer, "1").await;
    listening.expect("message.new").await;
    world.app.clock.advance(Duration::from_secs(3));
    tokio::select! {
        () = world.app.finish_jobs() => {}
        event = listening.next() => panic!("{event}"),
    }
    assert!(Talk::told_of_messages(&world, &talk.mitra_token).is_empty());
}
