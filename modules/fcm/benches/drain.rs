//! How fast one worker sends ten thousand pushes to an FCM on the same machine, from the notices to the
//! last answer written: `scripts/bench-push` starts what it needs; BENCHMARKS.md keeps the figures.
#![expect(
    clippy::expect_used,
    reason = "a broken assumption must end the run that has it"
)]

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use halobestie_auth::Auth;
use halobestie_auth::testing::{SignedIn, customer};
use halobestie_core::Entry;
use halobestie_core::app::Role;
use halobestie_core::clock::Clock;
use halobestie_core::ports::{News, Notice};
use halobestie_fcm::Fcm;
use halobestie_sandbox::Sandbox;
use halobestie_testkit::TestApp;
use serde_json::json;
use tokio::runtime::Runtime;
use uuid::Uuid;

static ENTRIES: &[Entry] = &[Entry::of::<Auth>(), Entry::of::<Fcm>()];

const PEOPLE: usize = 100;
/// For each of them, to one device.
const NOTICES: usize = 100;

fn main() {
    let runtime = Runtime::new().expect("a runtime starts");
    let mut criterion = Criterion::default()
        .sample_size(10)
        .measurement_time(Duration::from_secs(30))
        .configure_from_args();
    let mut group = criterion.benchmark_group("push");
    group.throughput(Throughput::Elements((PEOPLE * NOTICES) as u64));
    group.bench_function("drain", |it| {
        it.iter_custom(|times| (0..times).map(|_| runtime.block_on(drain())).sum());
    });
    group.finish();
    criterion.final_summary();
}

/// From a worker's start to the end of the last push.
async fn drain() -> Duration {
    let sandbox = Sandbox::builder()
        .keep(100)
        .start()
        .await
        .expect("ports are free");
    let name = format!("halobestie-bench-account-{}.json", std::process::id());
    let account = std::env::temp_dir().join(name);
    let written = sandbox.google.write_service_account(&account);
    written.expect("a file can be written");
    let mut plan = TestApp::with(ENTRIES)
        .clock(Clock::system())
        .role(Role::Api);
    for (name, value) in sandbox.google.variables(&account) {
        plan = plan.env(name, &value);
    }
    let api = plan.start().await;
    let mut people = Vec::with_capacity(PEOPLE);
    for number in 0..PEOPLE {
        let person = customer(&api).await;
        register(&api, &person, &sandbox.google.device(&number.to_string())).await;
        people.push(person.user_id);
    }
    notify(&api, &people).await;
    let worker = api.another().role(Role::Worker);
    let begun = Instant::now();
    let worker = worker.start().await;
    let left = "SELECT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL)";
    while api.database.row(left, &[]).await.get(0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = begun.elapsed();
    worker.stop().await;
    assert_eq!(sandbox.google.accepted(), (PEOPLE * NOTICES) as u64);
    let _ = std::fs::remove_file(account);
    took
}

async fn register(api: &TestApp, person: &SignedIn, token: &str) {
    let call = api.put("/api/devices").bearer(&person.access_token);
    let body = json!({"token": token, "platform": "android"});
    call.json(&body).send().await.expect(204);
}

async fn notify(api: &TestApp, people: &[Uuid]) {
    let cx = api.context();
    let mut client = cx.db.client().await.expect("Postgres answers");
    let tx = client.begin().await.expect("a transaction");
    let notices: Vec<Notice> = (0..NOTICES)
        .flat_map(|_| {
            let news = News::SessionUpdated {
                session_id: cx.entropy.uuid(&cx.clock),
                status: "ended".into(),
                end_reason: None,
            };
            Notice::to_all(people, &news)
        })
        .collect();
    let notifier = cx.ports.notifier.get().expect("FCM is on");
    let noticed = notifier.notify(&tx, &notices).await.expect("it is written");
    tx.commit().await.expect("it commits");
    noticed.run().await;
}
