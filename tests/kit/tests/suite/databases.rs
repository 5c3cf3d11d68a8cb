//! A database of one's own.

use halobestie_core::Entry;
use halobestie_testkit::{TestApp, TestDb};

const NO_MODULES: &[Entry] = &[];
const TABLES: &str = "SELECT 1 FROM pg_tables WHERE tablename = 'app_config'";

#[tokio::test]
async fn tests_do_not_meet() {
    let (one, other) = tokio::join!(TestApp::start(NO_MODULES), TestApp::start(NO_MODULES));
    let insert = "INSERT INTO app_config (key, value) VALUES ('mine', '1')";
    one.database.execute(insert, &[]).await;
    assert!(
        other
            .database
            .rows("SELECT 1 FROM app_config WHERE key = 'mine'", &[])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_database_is_migrated_unless_it_is_asked_for_empty() {
    let (migrated, empty) = tokio::join!(TestDb::create(NO_MODULES), TestDb::empty());
    assert_eq!(migrated.rows(TABLES, &[]).await.len(), 1);
    assert!(empty.rows(TABLES, &[]).await.is_empty());
}

#[tokio::test]
async fn the_last_to_go_drops_it() {
    let keeper = TestDb::empty().await;
    let database = TestDb::empty().await;
    let url = database.url().to_owned();
    let name = url
        .rsplit('/')
        .next()
        .unwrap()
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    let clone = database.clone();
    drop(database);
    const EXISTS: &str = "SELECT 1 FROM pg_database WHERE datname = $1";
    assert_eq!(keeper.rows(EXISTS, &[&name]).await.len(), 1);
    drop(clone);
    assert!(keeper.rows(EXISTS, &[&name]).await.is_empty());
}
