//! Whether the time of a refused sign-in tells if an email has an admin's account: known and unknown
//! emails in turn through the real server, compared by ratio over many tries. `scripts/bench login_timing`
//! starts what it needs; BENCHMARKS.md keeps the figures.
//!
//! A third email, unknown as well, is the control: what two unknown ones differ by is the noise.
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
const CONTROL: &str = "no-one@halobestie.test";
/// Longer than any window in which tries are counted.
const A_WHILE: Duration = Duration::from_secs(16 * 60);
/// The first ones, in which caches fill.
const WARM_UP: usize = 10;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    for (cost, rounds) in [("4", 3_000), ("12", 100)] {
        runtime.block_on(compare(cost, rounds));
    }
}

async fn compare(cost: &str, rounds: usize) {
    let plan = TestApp::with(ENTRIES).env("AUTH_BCRYPT_COST", cost);
    let app = plan.role(Role::Api).start().await;
    let ratu = NewAdmin {
        email: KNOWN.to_owned(),
        display_name: "Ratu".to_owned(),
        role: AdminRole::Owner,
    };
    let cx = app.context();
    let accounts = cx.ports.admin_accounts.get().expect("auth is there");
    let password = accounts.hash_password("correct horse battery".into()).await;
    let mut client = cx.db.client().await.expect("Postgres answers");
    let tx = client.begin().await.expect("Postgres answers");
    let made = accounts
        .create(&tx, &ratu, &password.expect("it is hashed"))
        .await;
    made.expect("the account is made");
    tx.commit().await.expect("Postgres answers");
    drop(client);
    let emails = [KNOWN, UNKNOWN, CONTROL];
    let mut times = [const { Vec::new() }; 3];
    for round in 0..rounds + WARM_UP {
        app.clock.advance(A_WHILE);
        // In turns, so that none always comes second.
        for turn in 0..emails.len() {
            let which = (round + turn) % emails.len();
            let took = time(&app, emails[which]).await;
            if round >= WARM_UP {
                times[which].push(took);
            }
        }
    }
    app.stop().await;
    times.iter_mut().for_each(|it| it.sort_by(f64::total_cmp));
    let [known, unknown, control] = times;
    println!("cost {cost}, {rounds} tries each");
    for (name, all) in [
        ("known", &known),
        ("unknown", &unknown),
        ("control", &control),
    ] {
        let (low, middle, high) = (at(all, 0.25), at(all, 0.5), at(all, 0.75));
        println!("  {name:<8} median {middle:.3} ms, quartiles {low:.3} and {high:.3} ms");
    }
    print("known : unknown", &known, &unknown);
    print("known : control", &known, &control);
    print("control : unknown (the noise)", &control, &unknown);
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

/// The ratio of the medians, and in how many of all pairs the first took longer: a half, give or take
/// the standard error, where the time tells nothing.
fn print(names: &str, one: &[f64], other: &[f64]) {
    let ratio = at(one, 0.5) / at(other, 0.5);
    let pairs = count(one.len()) * count(other.len());
    let shorter = |time: &f64| other.partition_point(|it| it < time);
    let longer = 100.0 * count(one.iter().map(shorter).sum()) / pairs;
    let error = 100.0 * (count(one.len() + other.len() + 1) / (12.0 * pairs)).sqrt();
    println!("  {names:<30} ratio {ratio:.4}, longer in {longer:.1} % (standard error {error:.1})");
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
