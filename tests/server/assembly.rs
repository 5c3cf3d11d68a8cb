//! Modules as parts: any set of them makes a server or says why not, and nothing is mounted that is
//! not described.

use std::collections::BTreeSet;

use halobestie::modules::COMPILED;
use halobestie_core::config::Sources;
use halobestie_core::openapi::{self, Title};
use halobestie_core::{Entry, assemble, migrate};
use halobestie_sandbox::Sandbox;
use halobestie_testkit::{TestApp, TestDb, eventually};

static NONE: &[Entry] = &[];

#[tokio::test]
async fn a_server_without_modules_starts_answers_and_stops() {
    let app = TestApp::start(NONE).await;
    app.get("/livez").send().await.expect(200);
    app.get("/readyz").send().await.expect(200);
    app.get("/api/customer/availability")
        .send()
        .await
        .problem("not_found", 404);
    app.stop().await;
}

/// A server with every module, those included that are off until somebody configures them.
async fn with_everything() -> TestApp {
    let sandbox = Sandbox::start().await;
    let name = format!("halobestie-everything-{}.json", std::process::id());
    let account = std::env::temp_dir().join(name);
    sandbox.google.write_service_account(&account).unwrap();
    let mut plan = TestApp::with(COMPILED)
        .env("EMAIL_ENABLED", "true")
        .env("PLAYGROUND_ENABLED", "true")
        .env("SMTP_URL", "smtp://127.0.0.1:1")
        .env("SMTP_FROM", "no-reply@halobestie.test");
    let google = sandbox.google.variables(&account);
    for (name, value) in sandbox.variables().into_iter().chain(google) {
        plan = plan.env(name, &value);
    }
    let app = plan.start().await;
    let _ = std::fs::remove_file(account);
    app
}

#[tokio::test]
async fn every_mounted_route_is_described_and_every_described_route_is_mounted() {
    let app = with_everything().await;
    let described: BTreeSet<(String, String)> =
        openapi::operations(&openapi::merged(&Title::default(), COMPILED))
            .into_iter()
            .collect();
    let served = app.mounted();
    let mounted: BTreeSet<(String, String)> = served
        .public
        .iter()
        .chain(&served.internal)
        .filter(|route| !served.pages.contains(route))
        .cloned()
        .collect();
    let undescribed_api = served
        .pages
        .iter()
        .find(|(_, path)| path.starts_with("/api"));
    assert_eq!(undescribed_api, None, "a page is no part of the API");
    let hidden: Vec<_> = mounted.difference(&described).collect();
    let absent: Vec<_> = described.difference(&mounted).collect();
    assert!(hidden.is_empty(), "mounted and not described: {hidden:?}");
    assert!(absent.is_empty(), "described and not mounted: {absent:?}");
}

#[tokio::test]
async fn neither_listener_answers_the_others_paths() {
    let app = with_everything().await;
    let (public, internal) = (&app.mounted().public, &app.mounted().internal);
    for (method, path) in internal.iter().filter(|route| !public.contains(route)) {
        let res = app
            .call(method.parse().unwrap(), &filled(path))
            .send()
            .await;
        res.problem("not_found", 404);
    }
    for (method, path) in public.iter().filter(|route| !internal.contains(route)) {
        let res = app
            .internal(method.parse().unwrap(), &filled(path))
            .send()
            .await;
        res.problem("not_found", 404);
    }
}

fn filled(path: &str) -> String {
    let id = "00000000-0000-7000-8000-000000000000";
    let segments = path
        .split('/')
        .map(|it| if it.starts_with('{') { id } else { it });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn a_module_that_is_switched_off_leaves_no_trace() {
    let app = TestApp::with(COMPILED)
        .env("CHAT_ENABLED", "false")
        .start()
        .await;
    app.get("/api/customer/packages")
        .send()
        .await
        .problem("not_found", 404);
    let described = app
        .internal_get("/openapi.json")
        .send()
        .await
        .expect(200)
        .json();
    assert!(described["paths"].get("/api/customer/packages").is_none());
    assert!(
        described["paths"]
            .get("/api/customer/availability")
            .is_some()
    );
}

#[tokio::test]
async fn a_module_whose_need_is_switched_off_stops_the_start() {
    let plan = TestApp::with(COMPILED).env("AVAILABILITY_ENABLED", "false");
    let refusal = plan
        .try_start()
        .await
        .err()
        .expect("chat needs availability");
    assert!(
        refusal.contains("chat") && refusal.contains("availability"),
        "{refusal}"
    );
}

#[tokio::test]
async fn every_module_migrates_alone_on_an_empty_database() {
    for entry in COMPILED {
        let database = TestDb::empty().await;
        let db = database.db();
        let set = migrate::MigrationSet {
            module: entry.name,
            migrations: (entry.migrations)(),
        };
        migrate::run(db, &[set])
            .await
            .unwrap_or_else(|error| panic!("{}: {error:?}", entry.name));
    }
}

#[test]
fn modules_are_built_after_those_they_need_however_they_are_listed() {
    let env = [
        ("APP_ENV", "test"),
        (
            "AUTH_JWT_SECRET",
            "a secret that only the tests of this project know",
        ),
        ("DATABASE_URL", "postgres://nobody@localhost/nowhere"),
    ];
    let sources = Sources {
        env: env.map(|(name, value)| (name.into(), value.into())).into(),
        ..Sources::default()
    };
    let config = halobestie::load_config(&sources).expect("a configuration");
    let backwards: Vec<Entry> = COMPILED.iter().rev().copied().collect();
    let order = assemble::enabled(&backwards, &config).expect("a server");
    let place = |name| order.iter().position(|entry| entry.name == name);
    assert!(place("auth") < place("availability"));
    assert!(place("availability") < place("chat"));
    assert_eq!(assemble::migration_sets(&order)[0].module, "core");
}

#[tokio::test]
async fn a_setting_that_is_announced_is_seen_by_every_replica_at_once() {
    let app = TestApp::start(COMPILED).await;
    let replica = app.replica().await;
    let written = "INSERT INTO app_config (key, value) VALUES ('packages', $1)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    let packages = serde_json::json!([
        {"id": "5m", "name": "5 minutes", "minutes": 5, "amount": 9000}
    ]);
    app.database.execute(written, &[&packages]).await;
    let cx = app.context();
    cx.settings.announce(&cx.bus, "packages");
    // The clock stands still: the look at the table every 30 s cannot be what shows it.
    for server in [&app, &replica] {
        eventually("the new price list is served", || async {
            let list = server.get("/api/customer/packages").send().await.json();
            list["items"][0]["id"] == "5m"
        })
        .await;
    }
}
