//! What is kept of finished jobs, for how long, and what can be seen of the queue.

use std::time::Duration;

use halobestie_core::app::Role;
use halobestie_core::jobs::DeadJob;
use halobestie_testkit::TestApp;
use uuid::Uuid;

use super::workshop::{Plain, Script, Single, WORKSHOP};
use super::{Foreman, job};

async fn dead(app: &TestApp, before: Option<&DeadJob>) -> Vec<DeadJob> {
    let before = before.map(|it| (it.died_at, it.id));
    let (jobs, db) = (&app.context().jobs, app.database.db());
    jobs.dead(db, before, 2).await.unwrap()
}

async fn revive(app: &TestApp, id: Uuid) -> bool {
    let cx = app.context();
    let mut client = cx.db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let revived = cx.jobs.revive(&tx, id).await.unwrap();
    tx.commit().await.unwrap();
    let is_revived = revived.is_some();
    if let Some(revived) = revived {
        revived.run().await;
    }
    is_revived
}

#[tokio::test]
async fn finished_rows_go_when_they_have_been_kept_long_enough() {
    let app = TestApp::start(WORKSHOP).await;
    let far = app.clock.now() + Duration::from_secs(3600 * 24 * 365);
    app.enqueue(job::<Plain>("done", Script::Succeed)).await;
    app.enqueue(job::<Plain>("dead", Script::GiveUp)).await;
    app.enqueue(job::<Plain>("waits", Script::Succeed).at(far))
        .await;
    app.reaches("done", "done", 1).await;
    app.reaches("dead", "dead", 1).await;
    // Together they move the clock by an hour and by thirty days.
    let steps = [(3599, (1, 1)), (1, (0, 1)), (30 * 24 * 3600, (0, 0))];
    for (seconds, (done, dead)) in steps {
        app.pass(seconds).await;
        app.run_sweep("jobs-cleanup").await;
        assert_eq!(app.count("done", "done").await, done, "after {seconds} s");
        assert_eq!(app.count("dead", "dead").await, dead, "after {seconds} s");
    }
    assert_eq!(app.count("waits", "waiting").await, 1);
}

#[tokio::test]
async fn dead_letters_are_listed_page_by_page_the_youngest_first() {
    let app = TestApp::start(WORKSHOP).await;
    for label in ["first", "second", "third"] {
        app.enqueue(job::<Plain>(label, Script::GiveUp).key(label))
            .await;
        app.reaches(label, "dead", 1).await;
        app.pass(1).await;
    }
    let page = dead(&app, None).await;
    let keys: Vec<_> = page.iter().filter_map(|it| it.key.as_deref()).collect();
    assert_eq!(keys, ["third", "second"]);
    let page = dead(&app, page.last()).await;
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].key.as_deref(), Some("first"));
    assert_eq!(page[0].error.as_deref(), Some("it never will"));
}

#[tokio::test]
async fn a_dead_letter_lives_again_with_all_its_attempts_and_its_whole_life() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(job::<Plain>("mended", Script::Fail(99))).await;
    for attempt in 1..=2 {
        app.has_logged("begun", attempt).await;
        app.pass(20).await;
    }
    app.reaches("mended", "dead", 1).await;
    // Far past the deadline that it had.
    app.pass(7200).await;
    let mend = "UPDATE jobs SET payload = '{\"label\": \"mended\", \"script\": {\"Fail\": 2}}'";
    app.database.execute(mend, &[]).await;
    let id = dead(&app, None).await[0].id;
    assert!(revive(&app, id).await);
    for attempt in 4..=5 {
        app.has_logged("begun", attempt).await;
        app.reaches("mended", "waiting", 1).await;
        app.pass(20).await;
    }
    app.reaches("mended", "done", 1).await;
    assert!(!revive(&app, id).await, "it is not dead any more");
}

#[tokio::test]
async fn a_dead_letter_stays_dead_while_another_job_has_its_key() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(job::<Plain>("old", Script::GiveUp).key("k"))
        .await;
    app.reaches("old", "dead", 1).await;
    let id = dead(&app, None).await[0].id;
    app.enqueue(job::<Plain>("new", Script::Wait).key("k"))
        .await;
    let worker = app.has_logged("begun", 2).await[1].worker;
    assert!(!revive(&app, id).await);
    app.let_go(worker);
    app.reaches("new", "done", 1).await;
    assert!(revive(&app, id).await);
}

#[tokio::test]
async fn the_queue_is_shown_as_metrics() {
    let app = TestApp::with(WORKSHOP).role(Role::Api).start().await;
    let later = app.clock.now() + Duration::from_secs(60);
    app.enqueue(job::<Plain>("due", Script::Succeed)).await;
    app.enqueue(job::<Plain>("later", Script::Succeed).at(later))
        .await;
    app.enqueue(job::<Single>("doomed", Script::Succeed)).await;
    let kill = "UPDATE jobs SET state = 'dead', finished_at = enqueued_at, keep_until = enqueued_at
        WHERE kind = 'single'";
    app.database.execute(kill, &[]).await;
    app.clock.advance(Duration::from_secs(42));
    app.run_sweep("jobs-figures").await;
    for line in [
        "halobestie_jobs{kind=\"plain\",state=\"waiting\"} 2",
        "halobestie_jobs{kind=\"single\",state=\"dead\"} 1",
        "halobestie_jobs{kind=\"bulk\",state=\"waiting\"} 0",
        "halobestie_jobs_oldest_due_seconds{kind=\"plain\"} 42",
        "halobestie_jobs_oldest_due_seconds{kind=\"single\"} 0",
    ] {
        assert!(app.metric(line).await, "{line}");
    }
}

#[tokio::test]
async fn jobs_of_a_kind_that_nobody_here_knows_are_left_alone() {
    let app = TestApp::start(WORKSHOP).await;
    app.enqueue(
        job::<Plain>("strange", Script::Succeed).at(app.clock.now() + Duration::from_secs(1)),
    )
    .await;
    let rename = "UPDATE jobs SET kind = 'of-a-newer-replica'";
    app.database.execute(rename, &[]).await;
    app.pass(10).await;
    app.settle().await;
    assert_eq!(app.count("strange", "waiting").await, 1);
    assert!(app.log("begun").await.is_empty());
}
