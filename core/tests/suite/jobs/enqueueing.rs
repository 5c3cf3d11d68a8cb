//! What is enqueued and what is not, and who hears of it.

use std::time::Duration;

use futures_util::future::join_all;
use halobestie_core::app::Role;
use halobestie_core::pg::DbError;
use halobestie_testkit::TestApp;

use super::workshop::{Fleeting, Plain, Script, Scripted, WORKSHOP};
use super::{Foreman, job};

#[tokio::test]
async fn a_transaction_that_rolls_back_enqueues_nothing() {
    let app = TestApp::start(WORKSHOP).await;
    let cx = app.context();
    let mut client = cx.db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let job = job::<Plain>("undone", Script::Succeed);
    let enqueued = cx.jobs.enqueue(&tx, job).await.unwrap();
    drop(tx);
    // Even a caller that wakes by mistake wakes nobody for it.
    enqueued.run().await;
    app.enqueue(super::job::<Plain>("other", Script::Succeed))
        .await;
    app.reaches("other", "done", 1).await;
    assert!(
        app.log("begun")
            .await
            .iter()
            .all(|line| line.label == "other")
    );
}

#[tokio::test]
async fn a_job_is_not_seen_before_its_commit() {
    let app = TestApp::start(WORKSHOP).await;
    let cx = app.context();
    let mut client = cx.db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let hidden = job::<Plain>("hidden", Script::Succeed);
    let enqueued = cx.jobs.enqueue(&tx, hidden).await.unwrap();
    app.enqueue(job::<Plain>("shown", Script::Succeed)).await;
    app.reaches("shown", "done", 1).await;
    assert_eq!(app.log("begun").await.len(), 1);
    tx.commit().await.unwrap();
    enqueued.run().await;
    app.reaches("hidden", "done", 1).await;
}

#[tokio::test]
async fn of_many_at_once_with_one_key_one_is_enqueued() {
    let app = TestApp::with(WORKSHOP).role(Role::Api).start().await;
    let replica = app.another().role(Role::Api).start().await;
    let servers = [&app, &replica];
    let racing = (0..20).map(|index| {
        let racer = job::<Plain>("racer", Script::Succeed).key("the one");
        servers[index % 2].enqueue(racer)
    });
    join_all(racing).await;
    assert_eq!(app.count("racer", "waiting").await, 1);
}

#[tokio::test]
async fn a_key_is_free_again_once_its_job_is_finished() {
    let app = TestApp::start(WORKSHOP).await;
    let now = app.clock.now();
    let keyed = |script| job::<Plain>("keyed", script).key("invoice 7");
    app.enqueue(keyed(Script::Succeed).at(now + Duration::from_secs(5)))
        .await;
    app.enqueue(keyed(Script::Succeed)).await;
    assert_eq!(
        app.count("keyed", "waiting").await,
        1,
        "it is held while it waits"
    );
    app.pass(5).await;
    app.reaches("keyed", "done", 1).await;
    app.enqueue(keyed(Script::GiveUp)).await;
    app.reaches("keyed", "dead", 1).await;
    app.enqueue(keyed(Script::Succeed)).await;
    app.reaches("keyed", "done", 2).await;
}

#[tokio::test]
async fn a_running_job_holds_its_key() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(job::<Plain>("busy", Script::Wait).key("session 1"))
        .await;
    let worker = app.has_logged("begun", 1).await[0].worker;
    app.enqueue(job::<Plain>("second", Script::Succeed).key("session 1"))
        .await;
    app.enqueue(job::<Plain>("other", Script::Succeed).key("session 2"))
        .await;
    app.reaches("other", "done", 1).await;
    app.let_go(worker);
    app.reaches("busy", "done", 1).await;
    app.settle().await;
    assert_eq!(
        app.log("begun")
            .await
            .iter()
            .filter(|it| it.label == "second")
            .count(),
        0
    );
}

#[tokio::test]
async fn a_kept_key_is_held_until_its_row_goes() {
    let app = TestApp::start(WORKSHOP).await;
    let keyed = || job::<Fleeting>("event", Script::Succeed).key("device 1, event 9");
    app.enqueue(keyed()).await;
    app.reaches("event", "done", 1).await;
    app.enqueue(keyed()).await;
    app.settle().await;
    app.has_logged("begun", 1).await;
    app.pass(3601).await;
    app.run_sweep("jobs-cleanup").await;
    app.enqueue(keyed()).await;
    app.has_logged("begun", 2).await;
}

#[tokio::test]
async fn many_are_enqueued_by_a_statement_for_each_thousand() {
    let app = TestApp::with(WORKSHOP).role(Role::Api).start().await;
    let cx = app.context();
    app.settle().await;
    let before = app.statement_count();
    let mut client = cx.db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    // Every tenth has the key of the one before it.
    let jobs = (0..2500).map(|index| {
        let key = if index % 10 == 0 { index + 1 } else { index };
        job::<Plain>("bulk", Script::Succeed).key(key)
    });
    let enqueued = cx.jobs.enqueue_all(&tx, jobs).await.unwrap();
    tx.commit().await.unwrap();
    enqueued.run().await;
    // Three, the transaction's two, and a few that may be core's own.
    let sent = app.statement_count() - before;
    assert!((5..10).contains(&sent), "{sent}");
    assert_eq!(app.count("bulk", "waiting").await, 2250);
}

#[tokio::test]
async fn a_payload_is_not_for_moving_data() {
    let app = TestApp::start(WORKSHOP).await;
    let cx = app.context();
    let mut client = cx.db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let large = job::<Plain>(&"x".repeat(64 * 1024), Script::Succeed);
    let refusal = cx.jobs.enqueue(&tx, large).await.err();
    assert!(matches!(refusal, Some(DbError::Content(_))), "{refusal:?}");
}

#[tokio::test]
async fn text_that_jsonb_would_refuse_is_kept() {
    let app = TestApp::start(WORKSHOP).await;
    let script = Script::Succeed;
    let odd = Plain::scripted("nul \0 and \u{fffd}", script);
    app.enqueue(halobestie_core::jobs::NewJob::of(odd)).await;
    // The handler's own table takes no NUL, so it fails; but it was read.
    let state = "SELECT 1 FROM jobs WHERE state = 'waiting' AND attempts = 1";
    halobestie_testkit::eventually("it was tried", || async {
        app.database.rows(state, &[]).await.len() == 1
    })
    .await;
}

#[tokio::test]
async fn an_api_process_enqueues_and_a_worker_is_woken() {
    let api = TestApp::with(WORKSHOP).role(Role::Api).start().await;
    let worker = api.another().role(Role::Worker).start().await;
    worker.settle().await;
    api.enqueue(job::<Plain>("sent over", Script::Succeed))
        .await;
    api.reaches("sent over", "done", 1).await;
}

#[tokio::test]
async fn without_a_bus_a_worker_finds_it_within_a_second_or_two() {
    let api = TestApp::with(WORKSHOP)
        .no_valkey()
        .role(Role::Api)
        .start()
        .await;
    let worker = api.another().role(Role::Worker).start().await;
    worker.settle().await;
    api.enqueue(job::<Plain>("unheard of", Script::Succeed))
        .await;
    worker.settle().await;
    assert_eq!(api.count("unheard of", "waiting").await, 1);
    worker.clock.advance(Duration::from_secs(1));
    api.reaches("unheard of", "done", 1).await;
}

#[tokio::test]
async fn a_caller_that_dies_before_it_wakes_anybody_loses_no_job() {
    let app = TestApp::start(WORKSHOP).await;
    app.settle().await;
    let cx = app.context();
    let mut client = cx.db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let job = job::<Plain>("untold", Script::Succeed);
    drop(cx.jobs.enqueue(&tx, job).await.unwrap());
    tx.commit().await.unwrap();
    app.pass(1).await;
    app.reaches("untold", "done", 1).await;
}
