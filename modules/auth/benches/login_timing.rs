//! Whether the time of a refused sign-in tells if an email has an admin's account: known and unknown
//! emails in turn through the real server, compared by ratio over many tries. `scripts/bench-login`
//! starts what it needs; BENCHMARKS.md keeps the figures.
//!
//! Two costs of bcrypt: the usual one, and the lowest, at which everything else would show.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program of its own: a broken assumption ends it, and it has figures to print"
)]

use std::time::{Duration, Instant};

use halobestie_auth::Auth;
use halobestie_core::Entry;
use halobestie_core::app::Role;
use halobestie_core::ports::{AdminRole, NewAdmin};
use halobestie_testkit::TestApp;
use serde_json::json;

static ENTRIES: &[Entry] = &[Entry::of::<Auth>()];

const KNOWN: &str = "ratu@halobestie.test";
const UNKNOWN: &str = "nobody@halobestie.test";
/// Longer than any window in which tries are counted.
const A_WHILE: Duration = Duration::from_secs(16 * 60);
/// The first ones, in which caches fill.
const WARM_UP: usize = 10;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    println!(
        "cost  pairs  known, median (quartiles)   unknown, median (quartiles)  ratio  known is slower"
    );
    for (cost, pairs) in [("4", 2_000), ("12", 100)] {
        runtime.block_on(compare(cost, pairs));
    }
}

async fn compare(cost: &str, pairs: usize) {
    let plan = TestApp::with(ENTRIES).env("AUTH_BCRYPT_COST", cost);
    let app = plan.role(Role::Api).start().await;
    let accounts = app
        .context()
        .ports
        .admin_accounts
        .get()
        .expect("auth is there");
    let ratu = NewAdmin {
        email: KNOWN.to_owned(),
        display_name: "Ratu".to_owned(),
        role: AdminRole::Owner,
        password: "correct horse battery".into(),
    };
    accounts.create(ratu).await.expect("the account is made");
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for pair in 0..pairs + WARM_UP {
        app.clock.advance(A_WHILE);
        // In turns, so that neither always comes second.
        let (one, other) = match pair % 2 {
            0 => (time(&app, KNOWN).await, time(&app, UNKNOWN).await),
            _ => {
                let unknown = time(&app, UNKNOWN).await;
                (time(&app, KNOWN).await, unknown)
            }
        };
        if pair >= WARM_UP {
            known.push(one);
            unknown.push(other);
        }
    }
    app.stop().await;
    print(cost, known, unknown);
}

async fn time(app: &TestApp, email: &str) -> f64 {
    let body = json!({"email": email, "password": "a wrong password"});
    let call = app.internal_post("/api/admin/auth/login").json(&body);
    let started = Instant::now();
    let answer = call.send().await;
    let took = started.elapsed();
    answer.problem("invalid_credentials", 401);
    took.as_secs_f64() * 1000.0
}

fn print(cost: &str, mut known: Vec<f64>, mut unknown: Vec<f64>) {
    known.sort_by(f64::total_cmp);
    unknown.sort_by(f64::total_cmp);
    let pairs = known.len();
    let ratio = at(&known, 0.5) / at(&unknown, 0.5);
    // Of all pairs of a known and an unknown: a half where the time tells nothing.
    let slower: usize = known
        .iter()
        .map(|it| unknown.partition_point(|other| other < it))
        .sum();
    let slower = 100.0 * count(slower) / (count(pairs) * count(pairs));
    let spread = |all: &[f64]| {
        let (low, middle, high) = (at(all, 0.25), at(all, 0.5), at(all, 0.75));
        format!("{middle:.3} ms ({low:.3} - {high:.3})")
    };
    let (one, other) = (spread(&known), spread(&unknown));
    println!("{cost:>4}  {pairs:>5}  {one:<27} {other:<28} {ratio:.4}  {slower:.1} %");
}

fn at(sorted: &[f64], part: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list that is not empty"
    )]
    let index = (count(sorted.len() - 1) * part) as usize;
    sorted[index]
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("few enough to count"))
}
