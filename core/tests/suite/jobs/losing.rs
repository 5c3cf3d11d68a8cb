//! Workers that die, and workers that only seemed to.

use std::time::Duration;

use halobestie_core::app::Role;
use halobestie_testkit::{TcpProxy, TestApp, eventually};

use super::workshop::{Fleeting, Once, Plain, Script, WORKSHOP};
use super::{Foreman, job};

/// The workshop's timeout, and the margin.
const LEASE_SECONDS: u64 = 30;

#[tokio::test]
async fn a_worker_that_dies_gives_its_jobs_back_when_their_leases_end() {
    let api = TestApp::with(WORKSHOP).role(Role::Api).start().await;
    let first = api.another().role(Role::Worker).start().await;
    for _ in 0..4 {
        api.enqueue(job::<Plain>("orphan", Script::Wait)).await;
    }
    let lost = api.has_logged("begun", 4).await[0].worker;
    drop(first);
    let second = api.another().role(Role::Worker).start().await;
    second.pass(LEASE_SECONDS - 1).await;
    second.settle().await;
    assert_eq!(api.log("begun").await.len(), 4, "the leases hold");
    second.pass(1).await;
    let begun = api.has_logged("begun", 8).await;
    let next = begun[7].worker;
    assert_ne!(next, lost);
    assert!(begun[4..].iter().all(|line| line.number == 2));
    second.let_go(next);
    api.reaches("orphan", "done", 4).await;
    let recovered = "halobestie_jobs_recovered_total{kind=\"plain\"} 4";
    assert!(second.metric(recovered).await);
}

#[tokio::test]
async fn a_worker_that_lost_its_leases_cannot_end_the_jobs() {
    let app = TestApp::start(WORKSHOP).await;
    // As many as it has slots: it cannot take them again itself.
    for _ in 0..4 {
        app.enqueue(job::<Plain>("contested", Script::Wait)).await;
    }
    let slow = app.has_logged("begun", 4).await[0].worker;
    app.pass(LEASE_SECONDS).await;
    let replica = app.replica().await;
    let fast = app.has_logged("begun", 8).await[7].worker;
    assert_ne!(fast, slow);

    app.let_go(slow);
    app.has_logged("ended", 4).await;
    let ended = "halobestie_jobs_attempts_total{kind=\"plain\",outcome=\"done\"} 4";
    eventually("the slow one thinks it is done", || app.metric(ended)).await;
    app.settle().await;
    assert_eq!(
        app.count("contested", "running").await,
        4,
        "the fast one has them"
    );

    replica.let_go(fast);
    app.reaches("contested", "done", 4).await;
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_cannot_commit_with_it() {
    let app = TestApp::start(WORKSHOP).await;
    for _ in 0..4 {
        app.enqueue(job::<Plain>("exact", Script::WaitThenDone))
            .await;
    }
    let slow = app.has_logged("begun", 4).await[0].worker;
    app.pass(LEASE_SECONDS).await;
    let replica = app.replica().await;
    let fast = app.has_logged("begun", 8).await[7].worker;
    app.let_go(slow);
    let retried = "halobestie_jobs_attempts_total{kind=\"plain\",outcome=\"retry\"} 4";
    eventually("the slow one has failed", || app.metric(retried)).await;
    replica.let_go(fast);
    app.reaches("exact", "done", 4).await;
    let ended = app.has_logged("ended", 4).await;
    assert!(ended.iter().all(|line| line.worker == fast), "{ended:?}");
}

#[tokio::test]
async fn an_attempt_that_outlives_a_jump_of_the_clock_does_not_run_beside_itself() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(job::<Plain>("slept through", Script::Wait))
        .await;
    let worker = app.has_logged("begun", 1).await[0].worker;
    app.pass(LEASE_SECONDS).await;
    app.settle().await;
    let taken = "SELECT taken FROM jobs";
    assert_eq!(app.database.row(taken, &[]).await.get::<_, i32>(0), 2);
    app.let_go(worker);
    app.reaches("slept through", "done", 1).await;
    app.has_logged("begun", 1).await;
}

#[tokio::test]
async fn what_may_be_begun_once_is_dead_when_its_worker_was_lost() {
    let api = TestApp::with(WORKSHOP).role(Role::Api).start().await;
    let first = api.another().role(Role::Worker).start().await;
    api.enqueue(job::<Once>("only", Script::Wait)).await;
    api.has_logged("begun", 1).await;
    drop(first);
    let second = api.another().role(Role::Worker).start().await;
    second.pass(LEASE_SECONDS).await;
    api.reaches("only", "dead", 1).await;
    api.has_logged("begun", 1).await;
}

#[tokio::test]
async fn nothing_begins_after_its_deadline() {
    let api = TestApp::with(WORKSHOP).role(Role::Api).start().await;
    let deadline = api.clock.now() + Duration::from_secs(60);
    api.enqueue(job::<Plain>("owed", Script::Succeed).deadline(deadline))
        .await;
    api.enqueue(job::<Fleeting>("stale", Script::Succeed).deadline(deadline))
        .await;
    api.clock.advance(Duration::from_secs(60));
    let _worker = api.another().role(Role::Worker).start().await;
    api.reaches("owed", "dead", 1).await;
    api.reaches("stale", "late", 1).await;
    assert!(api.log("begun").await.is_empty());
    // Neither was it begun and cut off.
    let dead = api.context().jobs.dead(api.database.db(), None, 1).await;
    let error = dead.unwrap()[0].error.clone().unwrap();
    assert_eq!(error, "its deadline is over: not begun by its deadline");
}

#[tokio::test]
async fn an_attempt_is_dropped_at_the_deadline() {
    let app = TestApp::start(WORKSHOP).await;
    let deadline = app.clock.now() + Duration::from_millis(50);
    app.enqueue(job::<Fleeting>("cut off", Script::Hang).deadline(deadline))
        .await;
    app.reaches("cut off", "late", 1).await;
}

#[tokio::test]
async fn what_ended_while_postgres_was_away_is_written_when_it_is_back() {
    let proxy = TcpProxy::to_postgres().await;
    let app = TestApp::with(WORKSHOP)
        .postgres_through(&proxy)
        .start()
        .await;
    app.enqueue(job::<Plain>("cut", Script::WaitSilently)).await;
    let worker = app.has_logged("begun", 1).await[0].worker;
    app.settle().await;
    proxy.cut();
    app.let_go(worker);
    let done = "halobestie_jobs_attempts_total{kind=\"plain\",outcome=\"done\"} 1";
    eventually("the attempt has ended", || app.metric(done)).await;
    assert_eq!(app.count("cut", "running").await, 1);
    proxy.mend();
    app.reaches("cut", "done", 1).await;
}
