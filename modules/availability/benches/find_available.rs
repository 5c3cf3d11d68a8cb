//! How long finding everyone who can be asked takes, by how many are online. Over a real Valkey:
//! `scripts/bench-availability` starts one; BENCHMARKS.md keeps the figures.
#![expect(
    clippy::expect_used,
    reason = "a broken assumption must end the run that has it"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use halobestie_auth::Auth;
use halobestie_availability::Mitras;
use halobestie_core::Entry;
use halobestie_core::app::Role;
use halobestie_core::ports::Availability;
use halobestie_testkit::TestApp;
use tokio::runtime::Runtime;

static ENTRIES: &[Entry] = &[Entry::of::<Auth>(), Entry::of::<Mitras>()];

const ONLINE: [u32; 3] = [1_000, 10_000, 100_000];

fn main() {
    let runtime = Runtime::new().expect("a runtime starts");
    let mut criterion = Criterion::default()
        .sample_size(50)
        .measurement_time(Duration::from_secs(10))
        .configure_from_args();
    let mut group = criterion.benchmark_group("find_available");
    for online in ONLINE {
        let app = runtime.block_on(server(online));
        let port = app.context().ports.availability.get();
        let port = port.expect("availability is there").clone();
        assert_eq!(runtime.block_on(find(&port)), online as usize);
        let statements = app.statement_count();
        group.throughput(Throughput::Elements(online.into()));
        group.bench_with_input(
            BenchmarkId::from_parameter(online),
            &port,
            |bencher, port| {
                bencher.iter(|| black_box(runtime.block_on(find(port))));
            },
        );
        // Otherwise these would be Postgres's figures. A few are core's own.
        assert!(app.statement_count() - statements < 10, "Valkey answered");
        runtime.block_on(app.stop());
    }
    group.finish();
    criterion.final_summary();
}

/// A server whose mirror shows this many mitras as online. Its clock stands still, so they stay so.
async fn server(online: u32) -> TestApp {
    const SQL: &str = "INSERT INTO mitras
            (mitra_id, is_online, max_sessions, online_since, last_heartbeat_at, updated_at)
        SELECT gen_random_uuid(), true, 3, $1, $1, $1 FROM generate_series(1, $2)";
    let app = TestApp::with(ENTRIES).role(Role::Api).start().await;
    let (now, count) = (app.clock.now(), online.cast_signed());
    app.database.execute(SQL, &[&now, &count]).await;
    app.run_sweep("valkey-online-mirror").await;
    app
}

async fn find(port: &Arc<dyn Availability>) -> usize {
    let found = port.find_available().await;
    found.expect("Valkey answers").len()
}
