//! Starting, stopping, and starting again.

use std::time::Duration;

use halobestie_core::Entry;
use halobestie_testkit::{TestApp, eventually};

const NO_MODULES: &[Entry] = &[];

#[tokio::test]
async fn an_empty_server_answers_on_both_listeners_and_stops() {
    let app = TestApp::start(NO_MODULES).await;
    app.get("/livez").send().await.expect(200);
    app.internal_get("/livez").send().await.expect(200);
    app.get("/nothing/here")
        .send()
        .await
        .problem("not_found", 404);
    app.stop().await;
}

#[tokio::test]
async fn a_server_runs_without_valkey() {
    let app = TestApp::with(NO_MODULES).no_valkey().start().await;
    assert!(app.context().valkey.is_none());
    app.get("/readyz").send().await.expect(200);
}

#[tokio::test]
async fn a_start_that_fails_says_why() {
    let plan = TestApp::with(NO_MODULES).env("DATABASE_TIMEOUT_SECONDS", "soon");
    let refusal = plan.try_start().await.err().unwrap();
    assert!(refusal.contains("DATABASE_TIMEOUT_SECONDS"), "{refusal}");
}

#[tokio::test]
async fn replicas_share_data_and_time() {
    let first = TestApp::start(NO_MODULES).await;
    let second = first.replica().await;
    assert_ne!(first.public_address(), second.public_address());
    first.clock.advance(Duration::from_secs(3600));
    assert_eq!(first.context().clock.now(), second.context().clock.now());
    assert_eq!(first.database.url(), second.database.url());
    let key = |app: &TestApp| app.context().valkey.as_ref().unwrap().key("name");
    assert_eq!(key(&first), key(&second));
}

#[tokio::test]
async fn a_restart_finds_the_data_again() {
    let app = TestApp::start(NO_MODULES).await;
    let insert = "INSERT INTO app_config (key, value) VALUES ('kept', '1')";
    assert_eq!(app.database.execute(insert, &[]).await, 1);
    let app = app.restart().await;
    let found = app
        .database
        .rows("SELECT 1 FROM app_config WHERE key = 'kept'", &[])
        .await;
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn the_tests_statements_are_not_the_servers() {
    let app = TestApp::start(NO_MODULES).await;
    app.settle().await;
    let before = app.statement_count();
    app.database.rows("SELECT 1", &[]).await;
    assert_eq!(app.statement_count(), before);
    app.context().db.ping().await.unwrap();
    assert_eq!(app.statement_count(), before + 1);
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let app = TestApp::start(NO_MODULES).await;
    let address = app.public_address();
    drop(app);
    eventually("the port is closed", || async move {
        tokio::net::TcpStream::connect(address).await.is_err()
    })
    .await;
}
