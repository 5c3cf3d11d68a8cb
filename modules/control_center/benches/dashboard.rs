//! How long the dashboard takes, by API and as a page, with 10,000 mitras and 100,000 sessions. Over a real
//! Postgres and a real Valkey: `scripts/bench-dashboard` starts them; BENCHMARKS.md keeps the figures.
//!
//! The figures are counted at most once a second in a process. The clock moves on before every request, so
//! that each one counts; what the others in the same second wait is the second row.
#![expect(
    clippy::expect_used,
    reason = "a broken assumption must end the run that has it"
)]

use std::time::{Duration, Instant};

use criterion::Criterion;
use halobestie_auth::testing;
use halobestie_core::Entry;
use halobestie_core::app::Role;
use halobestie_core::ports;
use halobestie_testkit::{Call, TestApp};
use tokio::runtime::Runtime;

static ENTRIES: &[Entry] = &[
    Entry::of::<halobestie_auth::Auth>(),
    Entry::of::<halobestie_availability::Mitras>(),
    Entry::of::<halobestie_chat::Chat>(),
    Entry::of::<halobestie_control_center::ControlCenter>(),
];

const MITRAS: i32 = 10_000;
const SESSIONS: i32 = 100_000;
/// Of them, how many are going on.
const ACTIVE: i32 = 5_000;
const MESSAGES_EACH: i32 = 5;
/// After so many requests the mitras give a sign of life: their hearts beat by the clock that moves.
const PULSE: u64 = 40;
const FRESH: Duration = Duration::from_millis(1001);
const PASSWORD: &str = "correct horse battery";
const EMAIL: &str = "bench@halobestie.test";

fn main() {
    let runtime = Runtime::new().expect("a runtime starts");
    let app = runtime.block_on(server());
    let cookie = runtime.block_on(signed_in(&app));
    let token = runtime.block_on(testing::admin(&app)).access_token;
    let api = || app.internal_get("/api/admin/dashboard").bearer(&token);
    let page = || app.internal_get("/").header("cookie", &cookie);
    runtime.block_on(check(api()));
    let mut criterion = Criterion::default()
        .sample_size(50)
        .measurement_time(Duration::from_secs(10))
        .configure_from_args();
    let mut group = criterion.benchmark_group("dashboard");
    group.bench_function("api, counted", |bencher| {
        bencher.iter_custom(|times| runtime.block_on(counted(&app, times, api)));
    });
    group.bench_function("page, counted", |bencher| {
        bencher.iter_custom(|times| runtime.block_on(counted(&app, times, page)));
    });
    group.bench_function("page, within the second", |bencher| {
        bencher.iter(|| runtime.block_on(async { page().send().await.expect(200) }));
    });
    group.finish();
    runtime.block_on(app.stop());
    criterion.final_summary();
}

/// How long so many requests take of which each one counts.
async fn counted(app: &TestApp, times: u64, call: impl Fn() -> Call) -> Duration {
    let mut spent = Duration::ZERO;
    for nth in 0..times {
        if nth % PULSE == 0 {
            beat(app).await;
        }
        app.clock.advance(FRESH);
        let call = call();
        let started = Instant::now();
        call.send().await.expect(200);
        spent += started.elapsed();
    }
    spent
}

/// What is measured is what it says.
async fn check(call: Call) {
    let figures = call.send().await.expect(200).json();
    assert_eq!(figures["online_mitras"], MITRAS);
    assert_eq!(figures["active_sessions"], ACTIVE);
    assert!(
        figures["available_mitras"].as_i64() > Some(1000),
        "{figures}"
    );
}

async fn server() -> TestApp {
    let app = TestApp::with(ENTRIES).role(Role::Api).start().await;
    let mitras = testing::many(&app.database, ports::Role::Mitra, MITRAS).await;
    let customers = testing::many(&app.database, ports::Role::Customer, SESSIONS).await;
    let now = app.clock.now();
    let online = "INSERT INTO mitras
            (mitra_id, is_online, max_sessions, online_since, last_heartbeat_at, updated_at)
        SELECT id, true, 3, $2, $2, $2 FROM unnest($1::uuid[]) AS id";
    app.database.execute(online, &[&mitras, &now]).await;
    let sessions = "INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status, package,
            created_at, started_at, expires_at, clock_since, ended_at, end_reason)
        SELECT gen_random_uuid(), gen_random_uuid(), customer, ($2::uuid[])[1 + (nth % $3)],
            CASE WHEN nth <= $5 THEN 'active' ELSE 'ended' END,
            '{\"id\": \"15m\", \"name\": \"15 minutes\", \"minutes\": 15, \"amount\": 25000, \"currency\": \"IDR\"}',
            $4::timestamptz, $4::timestamptz, $4::timestamptz + interval '30 days',
            CASE WHEN nth <= $5 THEN $4::timestamptz END,
            CASE WHEN nth > $5 THEN $4::timestamptz END,
            CASE WHEN nth > $5 THEN 'customer_ended' END
        FROM unnest($1::uuid[]) WITH ORDINALITY AS each (customer, nth)";
    let (count, active) = (i64::from(MITRAS), i64::from(ACTIVE));
    app.database
        .execute(sessions, &[&customers, &mitras, &count, &now, &active])
        .await;
    let messages = "INSERT INTO chat_messages (session_id, seq, id, client_message_id, sender_id,
            sender_role, kind, body, sent_at)
        SELECT id, seq, gen_random_uuid(), seq::text, customer_id, 'customer', 'text', 'hello',
            $1::timestamptz - seq * interval '40 seconds'
        FROM chat_sessions, generate_series(1, $2) AS seq";
    app.database
        .execute(messages, &[&now, &MESSAGES_EACH])
        .await;
    let minutes = "INSERT INTO control_center_minutes (minute, online_mitras, available_mitras,
            active_sessions, pending_payment_sessions, searching_requests, messages, paid_count,
            paid_amount)
        SELECT date_trunc('minute', $1::timestamptz) + nth * interval '1 minute', 9000, 4000, 5000, 10,
            20, 300, 40, 1000000 FROM generate_series(-120, 2880) AS nth";
    app.database.execute(minutes, &[&now]).await;
    app.database.execute("ANALYZE", &[]).await;
    beat(&app).await;
    app
}

/// Every mitra is heard from, as of now.
async fn beat(app: &TestApp) {
    let sql = "UPDATE mitras SET last_heartbeat_at = $1";
    app.database.execute(sql, &[&app.clock.now()]).await;
    app.run_sweep("valkey-online-mirror").await;
}

async fn signed_in(app: &TestApp) -> String {
    testing::register_admin(app, EMAIL, PASSWORD).await;
    let form = format!("email={EMAIL}&password={}", PASSWORD.replace(' ', "+"));
    let answer = app
        .internal_post("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .body("application/x-www-form-urlencoded", form)
        .send()
        .await
        .expect(303);
    let set = answer.header("set-cookie").expect("a cookie is set");
    set.split(';').next().unwrap_or_default().to_owned()
}
