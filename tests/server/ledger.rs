//! `halobestie ledger check`, as a person at a terminal or a script meets it.

use std::process::Output;

use halobestie::modules::COMPILED;
use halobestie_testkit::TestDb;
use serde_json::Value;

use crate::process::{Environment, shown};

/// A payment that says that money came, of which nothing is written anywhere else.
const UNEXPLAINED: &str = "INSERT INTO payments (id, subject_id, purpose, session_id, customer_id, status,
        amount, description, created_at, expires_at, paid_amount, paid_at, updated_at)
    SELECT gen_random_uuid(), gen_random_uuid(), 'session', gen_random_uuid(), gen_random_uuid(), 'paid',
        25000, '15 minutes', now(), now(), 25000, now(), now()";

async fn database() -> (TestDb, Environment) {
    let database = TestDb::create(COMPILED).await;
    let environment = Environment::over(&database)
        .with("XENDIT_ENABLED", "true")
        .with("XENDIT_SECRET_KEY", "xnd_development_test")
        .with("XENDIT_WEBHOOK_TOKEN", "token");
    (database, environment)
}

#[track_caller]
fn ended(output: &Output, code: i32) -> String {
    let text = shown(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

#[tokio::test]
async fn books_that_are_explained_end_with_0() {
    let (_database, environment) = database().await;
    let text = ended(&environment.run(&["ledger", "check"]).await, 0);
    assert!(
        text.contains("0 movements, 0 payments, 0 refunds"),
        "{text}"
    );
    assert!(
        text.contains("every movement balances and is explained"),
        "{text}"
    );
}

#[tokio::test]
async fn what_differs_is_said_in_words_and_ends_with_1() {
    let (database, environment) = database().await;
    database.execute(UNEXPLAINED, &[]).await;
    let text = ended(&environment.run(&["ledger", "check"]).await, 1);
    assert!(
        text.contains("says that Rp 25.000 came, and its receipts Rp 0"),
        "{text}"
    );
    assert!(
        text.contains("1 thing in the books is not explained"),
        "{text}"
    );

    let output = environment.run(&["ledger", "check", "--json"]).await;
    ended(&output, 1);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["payments"], 1);
    assert_eq!(report["differences"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn where_nothing_is_charged_there_are_no_books() {
    let (database, _) = database().await;
    let environment = Environment::over(&database);
    let text = ended(&environment.run(&["ledger", "check"]).await, 1);
    assert!(text.contains("this server keeps no books"), "{text}");
}
