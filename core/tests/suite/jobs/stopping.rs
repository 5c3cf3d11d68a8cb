//! What a worker does with its jobs when it stops.

use std::time::Duration;

use halobestie_core::app::Role;
use halobestie_testkit::TestApp;

use super::workshop::{Plain, Script, WORKSHOP};
use super::{Foreman, job};

#[tokio::test]
async fn a_worker_that_stops_finishes_what_it_has_and_begins_nothing() {
    let api = TestApp::with(WORKSHOP).role(Role::Api).start().await;
    let mut worker = api.another().role(Role::Worker).start().await;
    api.enqueue(job::<Plain>("in hand", Script::Wait)).await;
    let id = api.has_logged("begun", 1).await[0].worker;
    worker.shut_down();
    worker.context().lifecycle.soft().cancelled().await;
    api.enqueue(job::<Plain>("too late", Script::Succeed)).await;
    api.let_go(id);
    worker.end().await.unwrap();
    assert_eq!(api.count("in hand", "done").await, 1);
    assert_eq!(api.count("too late", "waiting").await, 1);
    api.has_logged("begun", 1).await;
}

#[tokio::test]
async fn a_worker_gives_back_what_it_cannot_finish_and_another_has_it_at_once() {
    let api = TestApp::with(WORKSHOP).role(Role::Api).start().await;
    let worker = api.another().role(Role::Worker);
    let mut first = worker
        .clone()
        .env("SHUTDOWN_TIMEOUT_SECONDS", "2")
        .start()
        .await;
    api.enqueue(job::<Plain>("endless", Script::Hang)).await;
    api.has_logged("begun", 1).await;
    let _second = worker.start().await;
    first.shut_down();
    first.end().await.expect("it stops in time");
    let begun = api.has_logged("begun", 2).await;
    assert_ne!(begun[0].worker, begun[1].worker);
    // It has cost no attempt.
    assert_eq!(begun[1].number, 1);
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was() {
    let app = TestApp::start(WORKSHOP).await;
    let at = app.clock.now() + Duration::from_secs(30);
    app.enqueue(job::<Plain>("later", Script::Succeed).at(at))
        .await;
    let app = app.restart().await;
    app.pass(29).await;
    app.settle().await;
    assert_eq!(app.count("later", "waiting").await, 1);
    app.pass(1).await;
    app.reaches("later", "done", 1).await;
}
