//! Real Postgres and Valkey processes that are killed or hang while apps poll and mitras beat. In
//! each: every answer right and in time, nobody set offline, the mirror exact again within one reseed.

use std::time::{Duration, Instant};

use halobestie_auth::testing::{self, SignedIn};
use halobestie_testkit::{
    Plan, PostgresProcess, TcpProxy, TestApp, TestDb, ValkeyProcess, eventually,
};

use crate::faults::{is_exact, is_seeded};
use crate::keys::{Keys, drift};
use crate::load::Load;
use crate::support::*;

const AUTO_OFFLINE: &str = "mitra-auto-offline";
const HEARTBEAT_MIRROR: &str = "heartbeat-mirror";
const RESEED: &str = "valkey-online-mirror";

const POSTGRES_DEADLINE: Duration = Duration::from_secs(1);
const VALKEY_DEADLINE: Duration = Duration::from_millis(500);
/// How long Valkey hangs.
const HANGS: Duration = Duration::from_secs(10);
/// Rounds of the load before, during and after a fault.
const A_WHILE: u64 = 12;

async fn online_mitras(app: &TestApp, count: usize) -> Vec<SignedIn> {
    let mut mitras = Vec::new();
    for _ in 0..count {
        mitras.push(online_mitra(app).await);
    }
    mitras
}

/// A server over a Postgres of the test's own.
async fn over(postgres: &PostgresProcess) -> TestApp {
    let database = TestDb::create_in(postgres, ENTRIES).await;
    let plan = plan().database(&database);
    plan.env("DATABASE_TIMEOUT_SECONDS", "1").start().await
}

/// What needs Postgres is refused in time, and what only reads goes on.
async fn misses_postgres(app: &TestApp, mitra: &SignedIn) {
    let asked = Instant::now();
    let refused = call(app, mitra, "/api/mitra/status/offline").await;
    refused.problem("dependency_unavailable", 503);
    let took = asked.elapsed();
    // A checkout and a statement, each with the deadline.
    assert!(
        took < POSTGRES_DEADLINE * 2 + Duration::from_secs(3),
        "{took:?}"
    );
    assert!(app.try_sweep(HEARTBEAT_MIRROR).await.is_err());
    assert!(app.try_sweep(RESEED).await.is_err());
    // Nobody is silent, so it may succeed without asking Postgres.
    if let Ok(swept) = app.try_sweep(AUTO_OFFLINE).await {
        assert_eq!(swept.changed, 0);
    }
}

/// Everyone is still online, and one reseed leaves nothing to be healed.
async fn is_well_again(app: &TestApp, mitras: &[SignedIn]) {
    eventually("Postgres serves again", async || {
        app.try_sweep(RESEED).await.is_ok()
    })
    .await;
    assert_eq!(drift(app).await, Vec::<String>::new());
    assert_eq!(app.run_sweep(AUTO_OFFLINE).await.changed, 0);
    for mitra in mitras {
        assert!(is_online_in_postgres(app, mitra.user_id).await);
    }
}

#[tokio::test]
async fn a_postgres_that_is_killed_under_load_is_missed_by_nobody_who_only_asks() {
    let mut postgres = PostgresProcess::start().await;
    let app = over(&postgres).await;
    let (mitras, late) = (online_mitras(&app, 12).await, testing::mitra(&app).await);
    let load = Load::new(&app, &mitras, POSTGRES_DEADLINE);
    let faults = async {
        for _ in 0..2 {
            load.goes_on_for(A_WHILE).await;
            postgres.kill().await;
            let fallbacks = metric(&app, "halobestie_availability_fallback_reads_total").await;
            load.goes_on_for(A_WHILE).await;
            misses_postgres(&app, &late).await;
            let more = metric(&app, "halobestie_availability_fallback_reads_total").await;
            assert!((more - fallbacks).abs() < f64::EPSILON, "Valkey answers");
            postgres.restart().await;
            is_well_again(&app, &mitras).await;
        }
        load.goes_on_for(A_WHILE).await;
    };
    load.during(faults).await;
    go_online(&app, &late).await;
    assert_eq!(available(&app).await.len(), mitras.len() + 1);
    assert_eq!(drift(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_postgres_that_hangs_under_load_costs_one_deadline_and_no_answer() {
    let postgres = PostgresProcess::start().await;
    let app = over(&postgres).await;
    let (mitras, late) = (online_mitras(&app, 12).await, testing::mitra(&app).await);
    let load = Load::new(&app, &mitras, POSTGRES_DEADLINE);
    let faults = async {
        load.goes_on_for(A_WHILE).await;
        postgres.freeze().await;
        misses_postgres(&app, &late).await;
        load.goes_on_for(A_WHILE).await;
        postgres.thaw();
        is_well_again(&app, &mitras).await;
        load.goes_on_for(A_WHILE).await;
    };
    load.during(faults).await;
}

/// A server whose Valkey the test can break, and its mitras.
async fn beside(valkey_url: &str) -> (TestApp, Vec<SignedIn>) {
    let plan: Plan = plan().valkey_at(valkey_url);
    let app = plan.env("VALKEY_TIMEOUT_MS", "500").start().await;
    let mitras = online_mitras(&app, 12).await;
    (app, mitras)
}

#[tokio::test]
async fn a_valkey_that_hangs_for_ten_seconds_under_load_costs_one_deadline() {
    let valkey = ValkeyProcess::start().await;
    let (app, mitras) = beside(&valkey.url()).await;
    let late = testing::mitra(&app).await;
    let load = Load::new(&app, &mitras, VALKEY_DEADLINE);
    let faults = async {
        load.goes_on_for(A_WHILE).await;
        valkey.freeze();
        let frozen = Instant::now();
        // By the real clock, which is Valkey's: work goes on, and none of it waits.
        while frozen.elapsed() < HANGS {
            load.goes_on_for(1).await;
            let swept = app.try_sweep(AUTO_OFFLINE).await;
            assert!(swept.is_err_and(|error| error.to_string().contains("mirror")));
        }
        valkey.thaw();
        eventually("the mirror is exact", || is_exact(&app)).await;
        load.goes_on_for(A_WHILE).await;
        is_well_again(&app, &mitras).await;
    };
    load.during(faults).await;
    go_online(&app, &late).await;
    assert_eq!(available(&app).await.len(), mitras.len() + 1);
    assert_eq!(drift(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_valkey_that_is_killed_under_load_and_restarted_empty_is_filled_again() {
    let mut valkey = ValkeyProcess::start().await;
    let (app, mitras) = beside(&valkey.url()).await;
    let load = Load::new(&app, &mitras, VALKEY_DEADLINE);
    let faults = async {
        for _ in 0..3 {
            load.goes_on_for(A_WHILE).await;
            valkey.kill().await;
            load.goes_on_for(A_WHILE).await;
            valkey.restart().await;
            eventually("the mirror is seeded", || is_seeded(&app)).await;
            is_well_again(&app, &mitras).await;
        }
    };
    load.during(faults).await;
}

#[tokio::test]
async fn a_valkey_that_is_emptied_under_load_misleads_nobody() {
    let valkey = ValkeyProcess::start().await;
    let (app, mitras) = beside(&valkey.url()).await;
    let load = Load::new(&app, &mitras, VALKEY_DEADLINE);
    let faults = async {
        for _ in 0..5 {
            load.goes_on_for(3).await;
            Keys::of(&app).flush_all().await;
            eventually("the mirror is seeded", || is_seeded(&app)).await;
        }
        is_well_again(&app, &mitras).await;
    };
    load.during(faults).await;
}

#[tokio::test]
async fn a_wire_that_blinks_under_load_loses_nobody() {
    let valkey = ValkeyProcess::start().await;
    let wire = TcpProxy::to(&format!("127.0.0.1:{}", valkey.port())).await;
    let (app, mitras) = beside(&wire.valkey_url()).await;
    let load = Load::new(&app, &mitras, VALKEY_DEADLINE);
    let faults = async {
        for _ in 0..5 {
            load.goes_on_for(3).await;
            wire.blink();
        }
        eventually("the mirror is exact", || is_exact(&app)).await;
        is_well_again(&app, &mitras).await;
    };
    load.during(faults).await;
}
