//! How many messages become durable a second, in groups and by a commit each, over a Postgres that
//! waits for the disk: `scripts/bench durable_sends` starts one; BENCHMARKS.md keeps the figures.
#![expect(
    clippy::expect_used,
    reason = "a broken assumption must end the run that has it"
)]

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use futures_util::future::join_all;
use halobestie_auth::Auth;
use halobestie_availability::Mitras;
use halobestie_chat::Chat;
use halobestie_chat::testing::Pen;
use halobestie_core::Entry;
use halobestie_core::app::Role;
use halobestie_testkit::TestApp;
use tokio::runtime::Runtime;
use uuid::Uuid;

static ENTRIES: &[Entry] = &[
    Entry::of::<Auth>(),
    Entry::of::<Mitras>(),
    Entry::of::<Chat>(),
];

/// Who sends at once, each in a session of its own.
const SENDERS: [u64; 3] = [16, 64, 256];
/// What each sends, one after the other's answer.
const EACH: u64 = 8;
/// Groups in flight.
const GROUPS: [usize; 4] = [1, 2, 3, 4];

fn main() {
    let runtime = Runtime::new().expect("a runtime starts");
    // The groups of a pen are a task of it.
    let _inside = runtime.enter();
    let app = runtime.block_on(
        TestApp::with(ENTRIES)
            .no_valkey()
            .role(Role::Api)
            // Whoever waits for a connection among 256 may wait for long.
            .env("DATABASE_TIMEOUT_SECONDS", "60")
            .start(),
    );
    let sessions = runtime.block_on(sessions(&app));
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(8))
        .configure_from_args();
    let mut group = criterion.benchmark_group("durable_sends");
    for senders in SENDERS {
        let some = &sessions[..usize::try_from(senders).expect("a small number")];
        group.throughput(Throughput::Elements(senders * EACH));
        let pen = Pen::new(app.context(), 1);
        group.bench_with_input(
            BenchmarkId::new("a commit each", senders),
            some,
            |it, some| {
                it.iter_custom(|times| {
                    timed(&runtime, times, some, |id, sender| {
                        pen.write_alone(id, sender)
                    })
                });
            },
        );
        for groups in GROUPS {
            let pen = Pen::new(app.context(), groups);
            let name = format!("groups, {groups} in flight");
            group.bench_with_input(BenchmarkId::new(name, senders), some, |it, some| {
                it.iter_custom(|times| {
                    timed(&runtime, times, some, |id, sender| pen.write(id, sender))
                });
            });
        }
    }
    group.finish();
    criterion.final_summary();
    runtime.block_on(app.stop());
}

type Written = Result<(), halobestie_core::BoxError>;

fn timed<F: Future<Output = Written>>(
    runtime: &Runtime,
    times: u64,
    sessions: &[(Uuid, Uuid)],
    write: impl Fn(Uuid, Uuid) -> F,
) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        let senders = sessions.iter().map(|(id, sender)| async {
            for _ in 0..EACH {
                write(*id, *sender).await.expect("the message is written");
            }
        });
        runtime.block_on(join_all(senders));
    }
    start.elapsed()
}

/// Active sessions, as many as there are ever senders, and the customer of each.
async fn sessions(app: &TestApp) -> Vec<(Uuid, Uuid)> {
    const SQL: &str = "INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status,
            package, created_at, started_at, expires_at)
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'active',
            '{}', $1, $1, $1::timestamptz + interval '1 day' FROM generate_series(1, $2)
        RETURNING id, customer_id";
    let count = i32::try_from(SENDERS[SENDERS.len() - 1]).expect("a small number");
    let rows = app.database.rows(SQL, &[&app.clock.now(), &count]).await;
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}
