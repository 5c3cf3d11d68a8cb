//! How fast one worker drains the queue, beside what single-row commits cost on the same Postgres:
//! `scripts/bench jobs` starts one; BENCHMARKS.md keeps the figures.
#![expect(
    clippy::expect_used,
    reason = "a broken assumption must end the run that has it"
)]

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use futures_util::future::join_all;
use halobestie_core::app::Role;
use halobestie_core::config::NoConfig;
use halobestie_core::jobs::{Attempt, Handler, Job, JobKind, NewJob, Policy};
use halobestie_core::migrate::Migration;
use halobestie_core::pg::Query;
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, Entry, ErrorCode, Module};
use halobestie_testkit::TestApp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

static ENTRIES: &[Entry] = &[Entry::of::<Mill>()];

/// Jobs in the queue when the worker starts, and rows committed one by one.
const JOBS: u32 = 10_000;
/// How long an outside call takes in `drain_calls`.
const CALL: Duration = Duration::from_millis(20);

fn main() {
    let runtime = Runtime::new().expect("a runtime starts");
    let mut criterion = Criterion::default()
        .sample_size(10)
        .measurement_time(Duration::from_secs(20))
        .configure_from_args();
    let mut group = criterion.benchmark_group("jobs");
    group.throughput(Throughput::Elements(JOBS.into()));
    group.bench_function("drain", |it| {
        it.iter_custom(|times| total(times, || runtime.block_on(drain::<Grain>(Grain {}))));
    });
    group.bench_function("drain_calls", |it| {
        it.iter_custom(|times| total(times, || runtime.block_on(drain::<Call>(Call {}))));
    });
    group.bench_function("enqueue", |it| {
        it.iter_custom(|times| total(times, || runtime.block_on(enqueue_only())));
    });
    for connections in [1, 16] {
        let name = format!("single_row_commits_by_{connections}");
        group.bench_function(name, |it| {
            it.iter_custom(|times| total(times, || runtime.block_on(commits(connections))));
        });
    }
    group.finish();
    criterion.final_summary();
}

fn total(times: u64, run: impl Fn() -> Duration) -> Duration {
    (0..times).map(|_| run()).sum()
}

/// From a worker's start to the last job's end.
async fn drain<J: Job + Clone>(payload: J) -> Duration {
    let api = TestApp::with(ENTRIES).role(Role::Api).start().await;
    enqueue(&api, payload).await;
    let plan = api.another().role(Role::Worker);
    let begun = Instant::now();
    let worker = plan.start().await;
    let left = "SELECT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL)";
    while api.database.row(left, &[]).await.get(0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = begun.elapsed();
    worker.stop().await;
    took
}

async fn enqueue_only() -> Duration {
    let api = TestApp::with(ENTRIES).role(Role::Api).start().await;
    enqueue(&api, Grain {}).await
}

async fn enqueue<J: Job + Clone>(api: &TestApp, payload: J) -> Duration {
    let cx = api.context();
    let begun = Instant::now();
    let mut client = cx.db.client().await.expect("Postgres answers");
    let tx = client.begin().await.expect("a transaction");
    let jobs = (0..JOBS).map(|_| NewJob::of(payload.clone()));
    let enqueued = cx.jobs.enqueue_all(&tx, jobs).await;
    tx.commit().await.expect("it commits");
    enqueued.expect("it is enqueued").run().await;
    begun.elapsed()
}

/// The least that a queue without batches would cost a job: one row, one commit.
async fn commits(connections: u32) -> Duration {
    const SQL: &str = "INSERT INTO sweep_runs (name, every_seconds) VALUES ($1, 1)";
    let api = TestApp::with(ENTRIES).role(Role::Api).start().await;
    let db = &api.context().db;
    let begun = Instant::now();
    let all = (0..connections).map(|connection| async move {
        let client = db.client().await.expect("Postgres answers");
        for row in 0..JOBS / connections {
            let name = format!("{connection}/{row}");
            client.execute(SQL, &[&name]).await.expect("a commit");
        }
    });
    join_all(all).await;
    begun.elapsed()
}

const MANY: Policy = Policy {
    concurrency: 256,
    ..Policy::DEFAULT
};

/// A job with nothing to do.
#[derive(Clone, Serialize, Deserialize)]
struct Grain {}

impl Job for Grain {
    const KIND: &'static str = "grind-grain";
    const POLICY: Policy = MANY;
}

/// A job that waits as for an outside call.
#[derive(Clone, Serialize, Deserialize)]
struct Call {}

impl Job for Call {
    const KIND: &'static str = "make-call";
    const POLICY: Policy = MANY;
}

struct Mill;

impl Module for Mill {
    const NAME: &'static str = "mill";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = &[];
    const JOBS: &'static [JobKind] = &[JobKind::of::<Grain>(), JobKind::of::<Call>()];
    type Config = NoConfig;

    fn migrations() -> &'static [Migration] {
        &[]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        utoipa::openapi::OpenApi::default()
    }

    async fn build(_: NoConfig, _: &mut Context) -> Result<Contribution, BoxError> {
        let call = |_: Attempt<Call>| async {
            tokio::time::sleep(CALL).await;
            Ok(())
        };
        Ok(Contribution {
            jobs: vec![
                Handler::new(|_: Attempt<Grain>| async { Ok(()) }),
                Handler::new(call),
            ],
            ..Contribution::default()
        })
    }
}
