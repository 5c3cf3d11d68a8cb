//! Delivery under everything that goes wrong: three processes, fifty sessions, both sides sending, sockets
//! that drop and resume, Valkey killed and started again, processes killed and started again.
//!
//! Whatever happens, every acknowledged message reaches both sides, in order, without gaps, and is in the
//! history once. A run is as long as SOAK_SECONDS says and repeats the choices of SOAK_SEED; a failure
//! names both. `scripts/soak` is the long one.
#![expect(clippy::print_stdout, reason = "a failure must name its seed")]

mod chaos;
mod person;
mod verdict;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use halobestie::modules::COMPILED;
use halobestie_auth::testing;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::ports::Role;
use halobestie_testkit::{TestApp, TestDb, ValkeyProcess};
use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use self::chaos::Cluster;
use self::person::{Person, Phase};
use crate::process::Environment;

/// How many sessions, each of two people.
const SESSIONS: usize = 50;
/// A run that nobody has asked to be longer.
const SHORT: Duration = Duration::from_secs(6);
/// How long the end of a run may take: what is sent is acknowledged, what is acknowledged has arrived.
const SETTLING: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_acknowledged_message_reaches_both_sides_whatever_is_killed() {
    let seed = variable("SOAK_SEED").unwrap_or_else(|| Entropy::system().below(1 << 32));
    let lasts = variable("SOAK_SECONDS").map_or(SHORT, Duration::from_secs);
    let seconds = lasts.as_secs();
    println!("SOAK_SEED={seed} SOAK_SECONDS={seconds}");
    let chance = Entropy::seeded(seed);

    let database = TestDb::create(COMPILED).await;
    let people = people(&database, &chance).await;
    let valkey = ValkeyProcess::start().await;
    let environment = Environment::over(&database)
        .with("VALKEY_URL", &valkey.url())
        .with("CHAT_MESSAGES_PER_SECOND", "0")
        .with("CHAT_FRAMES_PER_SECOND", "0");
    let mut cluster = Cluster::start(environment, valkey, chance.clone()).await;

    let (phase, watched) = watch::channel(Phase::Talk);
    let mut talking = JoinSet::new();
    let done = Arc::new(RwLock::new(0_usize));
    for person in people {
        let run = person.run(cluster.addresses(), watched.clone(), done.clone());
        talking.spawn(run);
    }
    cluster.trouble_for(lasts).await;
    phase.send_replace(Phase::Finish);
    let all_acknowledged = async {
        while *done.read().await < 2 * SESSIONS {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        phase.send_replace(Phase::Listen(verdict::last_numbers(&database).await));
        let mut stories = Vec::new();
        while let Some(story) = talking.join_next().await {
            stories.push(story.expect("a person does not panic"));
        }
        stories
    };
    let stories = timeout(SETTLING, all_acknowledged)
        .await
        .expect("all that was sent is acknowledged and has arrived");
    let said = verdict::judge(&database, &stories).await;
    println!("{said}; {}", cluster.summary());
}

fn variable(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' own variables are no configuration"
    )]
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.map(|value| value.parse().expect("a whole number"))
}

/// Signs everybody in and puts them into their sessions, two by two.
async fn people(database: &TestDb, chance: &Entropy) -> Vec<Person> {
    let app = TestApp::with(COMPILED)
        .database(database)
        .clock(Clock::system())
        .role(halobestie_core::app::Role::Api)
        .env("AUTH_ACCESS_SECONDS", "86400")
        .start()
        .await;
    let sides = |role| {
        let app = &app;
        join_all((0..SESSIONS).map(move |_| async move {
            match role {
                Role::Mitra => testing::mitra(app).await,
                _ => testing::customer(app).await,
            }
        }))
    };
    let (customers, mitras) = (sides(Role::Customer).await, sides(Role::Mitra).await);
    let mut people = Vec::with_capacity(2 * SESSIONS);
    for (customer, mitra) in customers.into_iter().zip(mitras) {
        let session_id = start_session(database, customer.user_id, mitra.user_id).await;
        for side in [customer, mitra] {
            people.push(Person::new(session_id, side, chance));
        }
    }
    app.stop().await;
    people
}

/// A session that outlasts every run. How sessions begin is other tests' business.
async fn start_session(database: &TestDb, customer_id: Uuid, mitra_id: Uuid) -> Uuid {
    const SQL: &str = "INSERT INTO chat_sessions (id, request_id, customer_id, mitra_id, status, package,
            created_at, started_at, expires_at)
        VALUES (gen_random_uuid(), gen_random_uuid(), $1, $2, 'active',
            '{\"id\": \"soak\", \"name\": \"soak\", \"minutes\": 1440, \"amount\": 0, \"currency\": \"IDR\"}',
            $3, $3, $3::timestamptz + interval '1 day')
        RETURNING id";
    let now = Clock::system().now();
    database
        .row(SQL, &[&customer_id, &mitra_id, &now])
        .await
        .get(0)
}
