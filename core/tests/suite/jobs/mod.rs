//! Jobs on real servers: enqueued, done, tried again, lost and found.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and one handler panics on purpose"
)]

mod doing;
mod enqueueing;
mod keeping;
mod losing;
mod many;
mod stopping;
mod workshop;

use std::time::Duration;

use halobestie_core::jobs::NewJob;
use halobestie_testkit::{TestApp, eventually};
use uuid::Uuid;

use self::workshop::{Script, Scripted, gate};

/// A line of what the handlers did.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    label: String,
    number: i32,
    worker: Uuid,
    what: String,
}

/// What a test does with the workshop's jobs.
trait Foreman {
    async fn enqueue<J: Scripted>(&self, job: NewJob<J>);
    /// How many jobs of a label are in a state.
    async fn count(&self, label: &str, state: &str) -> i64;
    async fn reaches(&self, label: &str, state: &str, count: i64);
    async fn log(&self, what: &str) -> Vec<Line>;
    async fn has_logged(&self, what: &str, count: usize) -> Vec<Line>;
    fn let_go(&self, worker: Uuid);
    async fn metric(&self, line: &str) -> bool;
    /// Moves the clock by seconds once all is at rest.
    async fn pass(&self, seconds: u64);
}

impl Foreman for TestApp {
    async fn enqueue<J: Scripted>(&self, job: NewJob<J>) {
        let cx = self.context();
        let mut client = cx.db.client().await.unwrap();
        let tx = client.begin().await.unwrap();
        let enqueued = cx.jobs.enqueue(&tx, job).await.unwrap();
        tx.commit().await.unwrap();
        enqueued.run().await;
    }

    async fn count(&self, label: &str, state: &str) -> i64 {
        const SQL: &str = "SELECT count(*) FROM jobs WHERE payload->>'label' = $1 AND state = $2";
        self.database.row(SQL, &[&label, &state]).await.get(0)
    }

    async fn reaches(&self, label: &str, state: &str, count: i64) {
        let what = format!("{count} of {label} are {state}");
        eventually(&what, || async { self.count(label, state).await == count }).await;
    }

    async fn log(&self, what: &str) -> Vec<Line> {
        const SQL: &str = "SELECT label, number, worker, what FROM workshop_log WHERE what = $1
            ORDER BY line";
        let rows = self.database.rows(SQL, &[&what]).await;
        rows.iter()
            .map(|row| Line {
                label: row.get(0),
                number: row.get(1),
                worker: row.get(2),
                what: row.get(3),
            })
            .collect()
    }

    async fn has_logged(&self, what: &str, count: usize) -> Vec<Line> {
        let waiting = format!("{count} lines of {what}");
        eventually(&waiting, || async { self.log(what).await.len() >= count }).await;
        let log = self.log(what).await;
        assert_eq!(log.len(), count, "{log:?}");
        log
    }

    fn let_go(&self, worker: Uuid) {
        self.context().bus.publish(&gate(worker), "go");
    }

    async fn metric(&self, line: &str) -> bool {
        let shown = self.context().metrics.render();
        shown.lines().any(|it| it == line)
    }

    async fn pass(&self, seconds: u64) {
        self.settle().await;
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn job<J: Scripted>(label: &str, script: Script) -> NewJob<J> {
    NewJob::of(J::scripted(label, script))
}
