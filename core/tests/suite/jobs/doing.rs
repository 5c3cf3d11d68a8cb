//! What is done, how often, in which order.

use std::time::Duration;

use halobestie_testkit::TestApp;

use super::workshop::{Forgotten, Hasty, Plain, Script, Single, WORKSHOP};
use super::{Foreman, job};

#[tokio::test]
async fn a_job_is_done_as_soon_as_its_transaction_has_committed() {
    let app = TestApp::start(WORKSHOP).await;
    // The clock stands still, so it is the wake that makes it happen.
    app.enqueue(job::<Plain>("receipt", Script::Succeed)).await;
    app.reaches("receipt", "done", 1).await;
    assert_eq!(app.has_logged("ended", 1).await[0].number, 1);
    assert!(
        app.metric("halobestie_jobs_enqueued_total{kind=\"plain\"} 1")
            .await
    );
    let done = "halobestie_jobs_attempts_total{kind=\"plain\",outcome=\"done\"} 1";
    assert!(app.metric(done).await);
}

#[tokio::test]
async fn two_workers_do_each_job_once() {
    let app = TestApp::start(WORKSHOP).await;
    let replica = app.replica().await;
    for server in [&app, &replica] {
        for _ in 0..50 {
            server
                .enqueue(job::<Plain>("shared", Script::Succeed))
                .await;
        }
    }
    app.reaches("shared", "done", 100).await;
    app.has_logged("begun", 100).await;
}

#[tokio::test]
async fn jobs_begin_in_the_order_of_their_times() {
    let app = TestApp::start(WORKSHOP).await;
    let now = app.clock.now();
    for seconds in [40, 10, 30, 20] {
        let at = now + Duration::from_secs(seconds);
        app.enqueue(job::<Single>(&seconds.to_string(), Script::Succeed).at(at))
            .await;
    }
    app.pass(9).await;
    app.settle().await;
    assert!(app.log("begun").await.is_empty(), "nothing is due yet");
    app.pass(1).await;
    app.has_logged("begun", 1).await;
    app.pass(60).await;
    let begun = app.has_logged("begun", 4).await;
    let order: Vec<&str> = begun.iter().map(|line| line.label.as_str()).collect();
    assert_eq!(order, ["10", "20", "30", "40"]);
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_after_its_pauses() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(job::<Plain>("stubborn", Script::Fail(2))).await;
    for (attempt, pause) in [(1, 10), (2, 20)] {
        app.has_logged("begun", attempt).await;
        app.reaches("stubborn", "waiting", 1).await;
        app.pass(pause - 1).await;
        app.settle().await;
        assert_eq!(app.log("begun").await.len(), attempt, "the pause is kept");
        app.pass(1).await;
    }
    app.reaches("stubborn", "done", 1).await;
    let numbers: Vec<i32> = app.log("begun").await.iter().map(|it| it.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn what_fails_in_every_attempt_is_a_dead_letter() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(job::<Plain>("hopeless", Script::Fail(99)))
        .await;
    for attempt in 1..=2 {
        app.has_logged("begun", attempt).await;
        app.pass(20).await;
    }
    app.reaches("hopeless", "dead", 1).await;
    let dead = app.context().jobs.dead(app.database.db(), None, 10).await;
    let dead = dead.unwrap();
    assert_eq!((dead[0].kind.as_str(), dead[0].attempts), ("plain", 3));
    assert_eq!(dead[0].error.as_deref(), Some("it does not work"));
}

#[tokio::test]
async fn a_named_pause_decides_the_next_attempt() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(job::<Plain>("throttled", Script::RetryAfter(90_000)))
        .await;
    app.reaches("throttled", "waiting", 1).await;
    app.has_logged("begun", 1).await;
    app.pass(89).await;
    app.settle().await;
    assert_eq!(app.log("begun").await.len(), 1);
    app.pass(1).await;
    app.has_logged("begun", 2).await;
}

#[tokio::test]
async fn waiting_for_something_costs_no_attempts_and_ends_at_the_deadline() {
    let app = TestApp::start(WORKSHOP).await;
    let deadline = app.clock.now() + Duration::from_secs(65);
    let early = job::<Plain>("early", Script::NotYet(10_000)).deadline(deadline);
    app.enqueue(early).await;
    for looks in 1..=6 {
        app.has_logged("begun", looks).await;
        app.reaches("early", "waiting", 1).await;
        app.pass(10).await;
    }
    app.has_logged("begun", 7).await;
    app.reaches("early", "dead", 1).await;
    assert!(app.log("begun").await.iter().all(|line| line.number == 1));
}

#[tokio::test]
async fn a_handler_that_gives_up_or_panics_or_hangs_hurts_no_other() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(job::<Plain>("over", Script::GiveUp)).await;
    app.enqueue(job::<Plain>("panics", Script::Panic)).await;
    app.enqueue(job::<Hasty>("hangs", Script::Hang)).await;
    app.enqueue(job::<Plain>("fine", Script::Succeed)).await;
    app.reaches("over", "dead", 1).await;
    app.reaches("panics", "waiting", 1).await;
    app.reaches("hangs", "waiting", 1).await;
    app.reaches("fine", "done", 1).await;
}

#[tokio::test]
async fn a_job_that_ended_in_its_own_transaction_stays_ended() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(job::<Plain>("settled", Script::DoneThenFail))
        .await;
    app.reaches("settled", "done", 1).await;
    app.pass(60).await;
    app.finish_jobs().await;
    app.has_logged("ended", 1).await;
    assert_eq!(app.count("settled", "done").await, 1);
}

#[tokio::test]
async fn a_payload_that_cannot_be_read_is_a_dead_letter_that_quotes_nothing() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(
        job::<Plain>("spoilt", Script::Succeed).at(app.clock.now() + Duration::from_secs(5)),
    )
    .await;
    let spoil =
        "UPDATE jobs SET payload = '{\"label\": \"spoilt\", \"script\": {\"Fail\": \"+62812\"}}'";
    app.database.execute(spoil, &[]).await;
    app.pass(5).await;
    app.reaches("spoilt", "dead", 1).await;
    let dead = app.context().jobs.dead(app.database.db(), None, 10).await;
    let error = dead.unwrap()[0].error.clone().unwrap();
    assert_eq!(
        error,
        "the payload cannot be read at script.Fail: expected u32"
    );
    assert!(app.log("begun").await.is_empty());
}

#[tokio::test]
async fn what_is_not_kept_goes_at_once() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(job::<Forgotten>("gone", Script::Succeed)).await;
    app.has_logged("ended", 1).await;
    app.settle().await;
    let left: i64 = app
        .database
        .row("SELECT count(*) FROM jobs", &[])
        .await
        .get(0);
    assert_eq!(left, 0);
}
