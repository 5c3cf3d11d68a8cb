//! What the doctor finds out about FCM, without any device getting a message.

use std::collections::BTreeMap;

use halobestie_core::app::AppOptions;
use halobestie_core::config::{Config, Sources};
use halobestie_core::doctor::{self, Finding, Grade, Treatment};
use halobestie_sandbox::{Fault, Sandbox};
use halobestie_testkit::TestDb;

use crate::world::{AccountFile, ENTRIES};

async fn examined(sandbox: &Sandbox) -> Finding {
    let account = AccountFile::new(&sandbox.google.service_account());
    let database = TestDb::create(ENTRIES).await;
    let mut env = BTreeMap::from([
        ("APP_ENV".to_owned(), "test".to_owned()),
        ("DATABASE_URL".to_owned(), database.url().to_owned()),
        (
            "AUTH_JWT_SECRET".to_owned(),
            "a secret that only this test knows".to_owned(),
        ),
    ]);
    let pointing = sandbox.google.variables(account.path()).into_iter();
    env.extend(pointing.map(|(name, value)| (name.to_owned(), value)));
    let sources = Sources {
        env,
        ..Sources::default()
    };
    let known = ["auth", "availability", "chat", "fcm"];
    let config = Config::load(&sources, ENTRIES, &known).unwrap();
    let options = AppOptions::new(ENTRIES);
    let report = doctor::visit(&config, &options, Treatment::Look).await;
    let mut examined = report.unwrap().examinations.into_iter();
    examined.find(|it| it.name == "fcm").unwrap().finding
}

#[tokio::test]
async fn a_google_that_knows_us_is_fine_and_nobody_gets_anything() {
    let sandbox = Sandbox::start().await;
    let found = examined(&sandbox).await;
    assert_eq!(found.grade, Grade::Ok, "{found:?}");
    assert_eq!(
        (sandbox.google.validated(), sandbox.google.accepted()),
        (1, 0)
    );
}

#[tokio::test]
async fn a_key_that_was_deleted_is_found_out() {
    let sandbox = Sandbox::start().await;
    sandbox.google.set_key_exists(false);
    let found = examined(&sandbox).await;
    assert_eq!(found.grade, Grade::Problem, "{found:?}");
    assert!(found.text.contains("invalid_grant"), "{found:?}");
    assert!(
        found
            .advice
            .unwrap()
            .contains("FIREBASE_SERVICE_ACCOUNT_PATH")
    );
}

#[tokio::test]
async fn an_account_that_may_not_send_is_found_out() {
    let sandbox = Sandbox::start().await;
    let fault = Fault::error("PERMISSION_DENIED");
    sandbox.google.knobs.strike(Some("send"), 1, fault);
    let found = examined(&sandbox).await;
    assert_eq!(found.grade, Grade::Problem, "{found:?}");
    assert!(found.text.contains("PERMISSION_DENIED"), "{found:?}");
}

#[tokio::test]
async fn a_google_that_is_away_is_a_problem() {
    let sandbox = Sandbox::start().await;
    sandbox.google.knobs.down().await;
    assert_eq!(examined(&sandbox).await.grade, Grade::Problem);
}
