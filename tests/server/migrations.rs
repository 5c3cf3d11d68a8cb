//! `migrate`, `migrate status`, and a server that refuses a schema that is not current.

use halobestie_core::migrate;
use halobestie_testkit::TestDb;

use crate::process::{Environment, shown};

#[tokio::test]
async fn an_empty_database_is_refused_and_the_refusal_names_the_command() {
    let database = TestDb::empty().await;
    let output = Environment::over(&database).run(&["serve"]).await;
    let text = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("pending core/0001_foundation"), "{text}");
    assert!(text.contains("`migrate`"), "{text}");
}

#[tokio::test]
async fn migrate_brings_the_schema_up_to_date_once() {
    let database = TestDb::empty().await;
    let environment = Environment::over(&database);

    let before = environment.run(&["migrate", "status"]).await;
    assert_eq!(before.status.code(), Some(1), "{}", shown(&before));
    let dry = environment.run(&["migrate", "--dry-run"]).await;
    assert!(
        shown(&dry).contains("would apply core/0001_foundation"),
        "{}",
        shown(&dry)
    );

    let first = environment.run(&["migrate"]).await;
    assert_eq!(first.status.code(), Some(0), "{}", shown(&first));
    assert!(
        shown(&first).contains("applied core/0001_foundation"),
        "{}",
        shown(&first)
    );
    let second = environment.run(&["migrate"]).await;
    assert!(
        shown(&second).contains("(0 applied now)"),
        "{}",
        shown(&second)
    );
    let after = environment.run(&["migrate", "status"]).await;
    assert_eq!(after.status.code(), Some(0), "{}", shown(&after));

    let server = environment.serve(&["serve"]).await;
    assert_eq!(server.terminate().await, Some(0));
}

#[tokio::test]
async fn two_migrations_at_once_apply_everything_once() {
    let database = TestDb::empty().await;
    let environment = Environment::over(&database);
    let (one, two) = tokio::join!(environment.run(&["migrate"]), environment.run(&["migrate"]));
    for output in [&one, &two] {
        assert_eq!(output.status.code(), Some(0), "{}", shown(output));
    }
    let applied = [&one, &two].map(|output| shown(output).matches("applied core/").count());
    assert_eq!(
        applied.iter().sum::<usize>(),
        migrate::CORE.migrations.len(),
        "{} {}",
        shown(&one),
        shown(&two)
    );
}

#[tokio::test]
async fn a_diverged_migration_stops_the_start() {
    let database = TestDb::empty().await;
    let environment = Environment::over(&database);
    environment.run(&["migrate"]).await;
    database
        .execute("UPDATE migrations_core SET checksum = '1'", &[])
        .await;

    let output = environment.run(&["serve"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(
        shown(&output).contains("diverged core/0001_foundation"),
        "{}",
        shown(&output)
    );
}

#[tokio::test]
async fn a_schema_that_is_newer_than_the_binary_is_let_pass() {
    let database = TestDb::empty().await;
    let environment = Environment::over(&database);
    environment.run(&["migrate"]).await;
    let newer = "INSERT INTO migrations_core (version, name, applied_on, checksum)
        VALUES (9999, 'from_tomorrow', '2026-01-01T00:00:00Z', '1')";
    database.execute(newer, &[]).await;

    let status = environment.run(&["migrate", "status"]).await;
    assert!(
        shown(&status).contains("core/9999_from_tomorrow"),
        "{}",
        shown(&status)
    );
    let server = environment.serve(&["serve"]).await;
    assert_eq!(server.terminate().await, Some(0));
}

#[tokio::test]
async fn seeding_twice_changes_nothing() {
    let database = TestDb::empty().await;
    let environment = Environment::over(&database).with("APP_ENV", "development");
    environment.run(&["migrate"]).await;
    let count = "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM app_config)";

    let first = environment.run(&["seed"]).await;
    assert_eq!(first.status.code(), Some(0), "{}", shown(&first));
    let after_first: i64 = database.row(count, &[]).await.get(0);
    assert!(after_first > 0);
    environment.run(&["seed"]).await;
    assert_eq!(database.row(count, &[]).await.get::<_, i64>(0), after_first);
}
