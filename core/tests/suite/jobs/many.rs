//! Many jobs, many at once.

use halobestie_core::app::Role;
use halobestie_testkit::TestApp;

use super::workshop::{Bulk, Script, WORKSHOP};
use super::{Foreman, job};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_jobs_are_done_once_each_by_two_workers() {
    let api = TestApp::with(WORKSHOP).role(Role::Api).start().await;
    let first = api.another().role(Role::Worker).start().await;
    let second = api.another().role(Role::Worker).start().await;
    let cx = api.context();
    let mut client = cx.db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let jobs = (0..10_000).map(|_| job::<Bulk>("one of many", Script::Nothing));
    let enqueued = cx.jobs.enqueue_all(&tx, jobs).await.unwrap();
    tx.commit().await.unwrap();
    enqueued.run().await;

    api.reaches("one of many", "done", 10_000).await;
    let taken = "SELECT count(*) FROM jobs WHERE taken = 1 AND attempts = 1";
    assert_eq!(api.database.row(taken, &[]).await.get::<_, i64>(0), 10_000);
    let done = [&first, &second].map(attempts_done);
    assert_eq!(done[0] + done[1], 10_000, "{done:?}");
    assert!(done.iter().all(|it| *it > 0), "both worked: {done:?}");
}

fn attempts_done(worker: &TestApp) -> u64 {
    const NAME: &str = "halobestie_jobs_attempts_total{kind=\"bulk\",outcome=\"done\"} ";
    let shown = worker.context().metrics.render();
    let found = shown.lines().find_map(|line| line.strip_prefix(NAME));
    found.map_or(0, |count| count.parse().unwrap())
}
