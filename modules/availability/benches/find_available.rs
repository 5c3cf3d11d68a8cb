//! How long finding everyone who can be asked takes, and counting them for the beacon, by how many
//! are online. Over a real Valkey: `scripts/bench find_available` starts one; BENCHMARKS.md keeps the
//! figures.
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
    for online in ONLINE {
        let app = runtime.block_on(server(online));
        let port = app.context().ports.availability.get();
        let port = port.expect("availability is there").clone();
        assert_eq!(runtime.block_on(find(&port)), online as usize);
        assert_eq!(runtime.block_on(count(&port)), u64::from(online));
        let statements = app.statement_count();
        measure(&mut criterion, "find_available", online, || {
            runtime.block_on(find(&port));
        });
        measure(&mut criterion, "count_available", online, || {
            runtime.block_on(count(&port));
        });
        // Otherwise these would be Postgres's figures. A few are core's own.
        assert!(app.statement_count() - statements < 10, "Valkey answered");
        runtime.block_on(app.stop());
    }
    criterion.final_summary();
}

fn measure(criterion: &mut Criterion, name: &str, online: u32, mut work: impl FnMut()) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(online.into()));
    group.bench_function(BenchmarkId::from_parameter(online), |bencher| {
        bencher.iter(&mut work);
    });
    group.finish();
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
    black_box(found.expect("somebody answers")).len()
}

async fn count(port: &Arc<dyn Availability>) -> u64 {
    let counted = port.count_available().await;
    black_box(counted.expect("somebody answers"))
}
