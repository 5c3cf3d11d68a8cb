//! `doctor`: what it finds wrong, what it says about it, what it mends.

mod mirror;

use halobestie::modules::COMPILED;
use halobestie_core::valkey::redis::{Client, FromRedisValue, cmd};
use halobestie_testkit::{TestDb, ValkeyProcess};
use serde_json::Value;

use crate::process::{Environment, shown};

/// A database with three mitras, a Valkey, and what configures a server over both.
struct Clinic {
    database: TestDb,
    valkey: ValkeyProcess,
    environment: Environment,
}

const ONLINE: &str = "00000000-0000-7000-8000-000000000001";
const OFFLINE: &str = "00000000-0000-7000-8000-000000000002";

impl Clinic {
    /// Everything migrated, and the mirror seeded.
    async fn open() -> Self {
        let database = TestDb::create(COMPILED).await;
        let valkey = ValkeyProcess::start().await;
        let environment = Environment::over(&database)
            .with("VALKEY_URL", &valkey.url())
            .with("VALKEY_KEY_PREFIX", "a[b]:")
            .with("VALKEY_TIMEOUT_MS", "2000");
        let clinic = Self {
            database,
            valkey,
            environment,
        };
        clinic.add_mitras().await;
        clinic.visit(&["--repair"]).await.expect_code(0);
        clinic
    }

    async fn add_mitras(&self) {
        const SQL: &str = "INSERT INTO mitras
                (mitra_id, is_online, max_sessions, last_heartbeat_at, updated_at)
            VALUES ('00000000-0000-7000-8000-000000000001', true, 3, now(), now()),
                   ('00000000-0000-7000-8000-000000000002', false, 3, NULL, now()),
                   ('00000000-0000-7000-8000-000000000003', true, 2, now(), now())";
        assert_eq!(self.database.execute(SQL, &[]).await, 3);
    }

    async fn visit(&self, args: &[&str]) -> Visit {
        visit(&self.environment, args).await
    }

    /// Sends a command behind the server's back; `@` stands for the key prefix.
    async fn meddle<T: FromRedisValue>(&self, words: &str) -> T {
        let client = Client::open(self.valkey.url()).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await;
        let mut command = cmd("ECHO");
        for (index, word) in words.replace('@', "a[b]:").split(' ').enumerate() {
            match index {
                0 => command = cmd(word),
                _ => {
                    command.arg(word);
                }
            }
        }
        let mut connection = connection.expect("Valkey answers");
        command.query_async(&mut connection).await.expect(words)
    }
}

/// What a visit came to.
struct Visit {
    code: Option<i32>,
    report: Value,
    text: String,
}

async fn visit(environment: &Environment, args: &[&str]) -> Visit {
    let output = environment
        .run(&[&["doctor", "--json"], args].concat())
        .await;
    let text = shown(&output);
    Visit {
        code: output.status.code(),
        report: serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("JSON: {text}")),
        text,
    }
}

impl Visit {
    fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self
    }

    fn examined(&self, name: &str) -> &Value {
        let examinations = self.report["examinations"].as_array().expect("a list");
        let found = examinations.iter().find(|it| it["name"] == name);
        found.unwrap_or_else(|| panic!("{name} was not examined: {}", self.text))
    }

    fn status(&self, name: &str) -> &str {
        self.examined(name)["status"].as_str().expect("a status")
    }

    fn details(&self, name: &str) -> String {
        self.examined(name)["details"]["shown"].to_string()
    }
}

#[tokio::test]
async fn a_sound_system_is_told_so_in_words_and_as_json() {
    let clinic = Clinic::open().await;
    let visit = clinic.visit(&[]).await.expect_code(0);
    for name in [
        "configuration",
        "internal",
        "postgres",
        "valkey",
        "schema",
        "connections",
        "clock",
        "bus",
        "modules",
        "settings",
        "jobs",
        "mirror",
    ] {
        assert_eq!(visit.status(name), "ok", "{name}: {}", visit.text);
    }
    // Nobody runs one here, and nothing asks for one.
    assert_eq!(visit.status("worker"), "warning");

    let output = clinic.environment.run(&["doctor"]).await;
    let text = shown(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("✓ postgres"), "{text}");
    assert!(text.contains("! worker"), "{text}");
    assert!(text.contains("→ nothing is swept"), "{text}");
}

#[tokio::test]
async fn a_running_worker_is_heard_and_a_running_server_is_not_disturbed() {
    let clinic = Clinic::open().await;
    let server = clinic.environment.serve(&["serve"]).await;
    let heard = || async { clinic.visit(&["--repair"]).await };
    halobestie_testkit::eventually("the worker is heard", || async {
        heard().await.status("worker") == "ok"
    })
    .await;
    assert_eq!(heard().await.expect_code(0).status("mirror"), "ok");
    assert_eq!(server.terminate().await, Some(0));
}

#[tokio::test]
async fn a_dead_valkey_is_a_problem_of_its_own_and_stops_no_other_examination() {
    let mut clinic = Clinic::open().await;
    clinic.valkey.kill().await;
    let visit = clinic.visit(&["--repair"]).await.expect_code(1);
    assert_eq!(visit.status("valkey"), "problem");
    assert!(visit.text.contains("VALKEY_URL"), "{}", visit.text);
    for name in ["bus", "mirror"] {
        assert_eq!(visit.status(name), "skipped", "{}", visit.text);
    }
    for name in ["postgres", "schema", "settings"] {
        assert_eq!(visit.status(name), "ok", "{}", visit.text);
    }
}

#[tokio::test]
async fn a_frozen_valkey_is_found_out_in_bounded_time() {
    let clinic = Clinic::open().await;
    clinic.valkey.freeze();
    let started = std::time::Instant::now();
    let visit = clinic.visit(&[]).await.expect_code(1);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    clinic.valkey.thaw();
    assert_eq!(visit.status("valkey"), "problem");
    assert_eq!(visit.status("postgres"), "ok");
}

#[tokio::test]
async fn without_postgres_the_rest_is_examined_and_no_password_is_shown() {
    let valkey = ValkeyProcess::start().await;
    let environment = Environment::minimal()
        .with(
            "DATABASE_URL",
            "postgres://somebody:a-password-to-hide@127.0.0.1:1/nowhere",
        )
        .with("VALKEY_URL", &valkey.url());
    let visit = visit(&environment, &[]).await.expect_code(1);
    assert_eq!(visit.status("postgres"), "problem");
    assert!(visit.text.contains("127.0.0.1:1/nowhere"), "{}", visit.text);
    assert!(!visit.text.contains("a-password-to-hide"), "{}", visit.text);
    for name in ["schema", "clock", "modules", "worker", "settings"] {
        assert_eq!(visit.status(name), "skipped", "{}", visit.text);
    }
    for name in ["valkey", "bus"] {
        assert_eq!(visit.status(name), "ok", "{}", visit.text);
    }
}

#[tokio::test]
async fn a_postgres_that_takes_connections_and_says_nothing_is_given_up_on() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let valkey = ValkeyProcess::start().await;
    let environment = Environment::minimal()
        .with("DATABASE_URL", &format!("postgres://x@{address}/x"))
        .with("DATABASE_TIMEOUT_SECONDS", "30")
        .with("VALKEY_URL", &valkey.url());
    let started = std::time::Instant::now();
    let visit = visit(&environment, &[]).await.expect_code(1);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    assert_eq!(visit.status("postgres"), "problem");
    assert_eq!(visit.status("bus"), "ok");
}

#[tokio::test]
async fn pending_migrations_name_the_command_that_applies_them() {
    let database = TestDb::empty().await;
    let visit = visit(&Environment::over(&database), &[])
        .await
        .expect_code(1);
    assert_eq!(visit.status("schema"), "problem");
    let advice = visit.examined("schema")["advice"].as_str();
    assert!(advice.is_some_and(|it| it.contains("`migrate`")));
    assert!(
        visit
            .details("schema")
            .contains("pending core/0001_foundation")
    );
    assert_eq!(visit.status("postgres"), "ok");
    assert_eq!(visit.status("worker"), "skipped");
}

#[tokio::test]
async fn a_stored_setting_that_does_not_fit_is_named() {
    let clinic = Clinic::open().await;
    const SQL: &str = "INSERT INTO app_config (key, value) VALUES ('packages', '\"none\"')
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    clinic.database.execute(SQL, &[]).await;
    let visit = clinic.visit(&[]).await.expect_code(1);
    assert_eq!(visit.status("settings"), "problem");
    assert!(
        visit.details("settings").contains("packages"),
        "{}",
        visit.text
    );
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_exit_2() {
    let output = Environment::minimal()
        .with("DATABASE_URL", "nonsense")
        .run(&["doctor"])
        .await;
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(
        shown(&output).contains("DATABASE_URL"),
        "{}",
        shown(&output)
    );
}

#[tokio::test]
async fn an_exposed_internal_listener_and_an_evicting_valkey_are_warnings() {
    let clinic = Clinic::open().await;
    clinic
        .meddle::<()>("CONFIG SET maxmemory-policy allkeys-lru")
        .await;
    let environment = clinic
        .environment
        .clone()
        .with("INTERNAL_ADDR", "0.0.0.0:3901");
    let visit = visit(&environment, &[]).await.expect_code(0);
    assert_eq!(visit.status("internal"), "warning");
    assert_eq!(visit.status("valkey"), "warning");
    assert_eq!(visit.report["status"], "warning");
}

#[tokio::test]
async fn dead_jobs_are_shown_with_their_reason_and_those_that_nobody_takes_are_a_problem() {
    const SQL: &str =
        "INSERT INTO jobs (id, kind, holds_key, payload, state, attempts, enqueued_at,
            due_at, deadline_at, finished_at, keep_until, last_error)
        VALUES ('00000000-0000-7000-8000-00000000000d', 'send-receipt', false, '{}', 'dead', 3,
                now(), now(), now(), now(), now(), 'the printer is on fire'),
               (gen_random_uuid(), 'feed-parrot', false, '{}', 'waiting', 0,
                now(), now() - interval '16 minutes', now(), NULL, NULL, NULL)";
    let clinic = Clinic::open().await;
    assert_eq!(clinic.database.execute(SQL, &[]).await, 2);
    let visit = clinic.visit(&[]).await.expect_code(1);
    assert_eq!(visit.status("jobs"), "problem");
    let details = visit.details("jobs");
    assert!(details.contains("the printer is on fire"), "{details}");
    assert!(details.contains("feed-parrot"), "{details}");
    assert!(details.contains("no enabled module does them"), "{details}");
}
