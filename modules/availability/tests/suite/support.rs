//! What the suite's tests share: the modules, typed calls, and a look into the mirror's keys.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use halobestie_auth::Auth;
use halobestie_auth::testing::{self, SignedIn};
use halobestie_availability::Mitras;
use halobestie_core::app::Role;
use halobestie_core::config::NoConfig;
use halobestie_core::migrate::Migration;
use halobestie_core::pg::{Db, DbError, Query};
use halobestie_core::ports::{Availability, Capability, SessionLoad};
use halobestie_core::{BoxError, Context, Contribution, Entry, ErrorCode, Module};
use halobestie_testkit::{Plan, TestApp, TestResponse};
use serde_json::Value;
use uuid::Uuid;

/// The modules of every test.
pub(crate) static ENTRIES: &[Entry] = &[
    Entry::of::<Auth>(),
    Entry::of::<Mitras>(),
    Entry::of::<Sessions>(),
];

/// Runs each test over the mirror in Valkey and over its twin.
macro_rules! on_both_mirrors {
    ($($name:ident),* $(,)?) => {
        mod in_valkey {
            $(#[tokio::test] async fn $name() { super::$name(crate::support::plan()).await; })*
        }
        mod in_memory {
            $(#[tokio::test] async fn $name() {
                super::$name(crate::support::plan().no_valkey()).await;
            })*
        }
    };
}
pub(crate) use on_both_mirrors;

/// A server with these modules, to be started. It sweeps only when the test says so: in a worker,
/// moving the clock would start the sweeps as well.
pub(crate) fn plan() -> Plan {
    // Nobody signs in anew while a test lets hours pass.
    let plan = TestApp::with(ENTRIES).env("AUTH_ACCESS_SECONDS", "86400");
    plan.role(Role::Api)
}

/// A running server with these modules.
pub(crate) async fn start() -> TestApp {
    plan().start().await
}

/// Stands in for chat: how many sessions a mitra has open is a row of its table.
struct Sessions;

impl Module for Sessions {
    const NAME: &'static str = "sessions";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[Capability::SessionLoad];
    const SWEEPS: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn migrations() -> &'static [Migration] {
        const SQL: &str = "CREATE TABLE open_sessions (mitra_id uuid PRIMARY KEY, in_use int)";
        &[Migration {
            name: "0001_open_sessions",
            sql: SQL,
        }]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        utoipa::openapi::OpenApi::default()
    }

    async fn build(_: NoConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        cx.ports.session_load.fill(Arc::new(Table(cx.db.clone())));
        Ok(Contribution::default())
    }
}

struct Table(Db);

#[async_trait]
impl SessionLoad for Table {
    async fn open_sessions(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, u32>, DbError> {
        const SQL: &str = "SELECT mitra_id, in_use FROM open_sessions WHERE mitra_id = ANY($1)";
        let rows = self.0.rows(SQL, &[&ids]).await?;
        Ok(rows
            .iter()
            .map(|row| (row.get(0), row.get::<_, i32>(1).cast_unsigned()))
            .collect())
    }

    async fn all_open_sessions(&self) -> Result<HashMap<Uuid, u32>, DbError> {
        let rows = self
            .0
            .rows("SELECT mitra_id, in_use FROM open_sessions", &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| (row.get(0), row.get::<_, i32>(1).cast_unsigned()))
            .collect())
    }
}

/// Changes how many sessions a mitra has open, as a commit of chat would, without telling.
pub(crate) async fn commit_load(app: &TestApp, mitra_id: Uuid, in_use: i32) {
    const SQL: &str = "INSERT INTO open_sessions VALUES ($1, $2)
        ON CONFLICT (mitra_id) DO UPDATE SET in_use = excluded.in_use";
    app.database.execute(SQL, &[&mitra_id, &in_use]).await;
}

/// Changes how many sessions a mitra has open, and tells.
pub(crate) async fn set_load(app: &TestApp, mitra_id: Uuid, in_use: i32) {
    commit_load(app, mitra_id, in_use).await;
    port(app).load_changed(mitra_id).await;
}

/// The module as others see it.
pub(crate) fn port(app: &TestApp) -> &Arc<dyn Availability> {
    app.context()
        .ports
        .availability
        .get()
        .expect("availability is there")
}

/// Everyone who can be asked.
pub(crate) async fn available(app: &TestApp) -> BTreeSet<Uuid> {
    port(app)
        .find_available()
        .await
        .expect("somebody answers")
        .into_iter()
        .collect()
}

/// A mitra who is signed in and online.
pub(crate) async fn online_mitra(app: &TestApp) -> SignedIn {
    let mitra = testing::mitra(app).await;
    go_online(app, &mitra).await;
    mitra
}

pub(crate) async fn go_online(app: &TestApp, mitra: &SignedIn) -> Value {
    call(app, mitra, "/api/mitra/status/online")
        .await
        .expect(200)
        .json()
}

pub(crate) async fn go_offline(app: &TestApp, mitra: &SignedIn) -> Value {
    call(app, mitra, "/api/mitra/status/offline")
        .await
        .expect(200)
        .json()
}

pub(crate) async fn heartbeat(app: &TestApp, mitra: &SignedIn) -> TestResponse {
    call(app, mitra, "/api/mitra/status/heartbeat").await
}

pub(crate) async fn status(app: &TestApp, mitra: &SignedIn) -> Value {
    app.get("/api/mitra/status")
        .bearer(&mitra.access_token)
        .send()
        .await
        .expect(200)
        .json()
}

pub(crate) async fn beacon(app: &TestApp) -> Value {
    app.get("/api/customer/availability")
        .send()
        .await
        .expect(200)
        .json()
}

pub(crate) async fn call(app: &TestApp, mitra: &SignedIn, path: &str) -> TestResponse {
    app.post(path).bearer(&mitra.access_token).send().await
}

/// Deactivates a mitra in Postgres, as the control center will, without telling the mirror.
pub(crate) async fn deactivate(app: &TestApp, mitra_id: Uuid) {
    const SQL: &str = "UPDATE mitras SET is_active = false WHERE mitra_id = $1";
    assert_eq!(app.database.execute(SQL, &[&mitra_id]).await, 1);
}

/// Adds this many online mitras to Postgres, without telling the mirror.
pub(crate) async fn insert_online(app: &TestApp, count: i32) {
    const SQL: &str = "INSERT INTO mitras
            (mitra_id, is_online, max_sessions, online_since, last_heartbeat_at, updated_at)
        SELECT gen_random_uuid(), true, 3, $1, $1, $1 FROM generate_series(1, $2)";
    app.database.execute(SQL, &[&app.clock.now(), &count]).await;
}

/// What Postgres says about a mitra.
pub(crate) async fn is_online_in_postgres(app: &TestApp, mitra_id: Uuid) -> bool {
    const SQL: &str = "SELECT is_online FROM mitras WHERE mitra_id = $1";
    app.database.row(SQL, &[&mitra_id]).await.get(0)
}

/// Past the time in which a copy of the beacon is repeated, and a snapshot too.
pub(crate) const BEACON_RENEWED: Duration = Duration::from_secs(10);

/// What core itself may send meanwhile: it reads its settings now and then.
pub(crate) const BACKGROUND_STATEMENTS: u64 = 4;

/// The value of a counter on the internal listener, the sum over its labels.
pub(crate) async fn metric(app: &TestApp, name: &str) -> f64 {
    let page = app.internal_get("/metrics").send().await.expect(200).text();
    let lines = page.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(' ') || rest.starts_with('{'))
    });
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}
