//! What the doctor finds out about Fazpass, without sending anybody a message.

use std::collections::BTreeMap;

use halobestie_core::app::AppOptions;
use halobestie_core::config::{Config, Sources};
use halobestie_core::doctor::{self, Finding, Grade, Treatment};
use halobestie_sandbox::Sandbox;
use halobestie_testkit::TestDb;

use crate::server::ENTRIES;

/// Examines Fazpass with these variables beside those that point there.
async fn examined(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Finding {
    let database = TestDb::create(ENTRIES).await;
    let mut env = BTreeMap::from([
        ("APP_ENV".to_owned(), "test".to_owned()),
        ("DATABASE_URL".to_owned(), database.url().to_owned()),
        (
            "AUTH_JWT_SECRET".to_owned(),
            "a secret that only this test knows".to_owned(),
        ),
    ]);
    let pointing = sandbox.fazpass.variables();
    env.extend(
        pointing
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    let changes = variables.iter().map(|(name, value)| (name, value));
    env.extend(changes.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let sources = Sources {
        env,
        ..Sources::default()
    };
    let config = Config::load(&sources, ENTRIES, &["auth", "fazpass"]).unwrap();
    let options = AppOptions::new(ENTRIES);
    let report = doctor::visit(&config, &options, Treatment::Look).await;
    let report = report.unwrap();
    let examined = report.examinations.into_iter();
    let mut fazpass = examined.filter(|it| it.name == "fazpass");
    fazpass.next().unwrap().finding
}

#[tokio::test]
async fn a_fazpass_that_is_there_and_knows_us_is_fine() {
    let sandbox = Sandbox::start().await;
    let found = examined(&sandbox, &[]).await;
    assert_eq!(found.grade, Grade::Ok, "{found:?}");
    assert!(sandbox.fazpass.messages().is_empty());
}

#[tokio::test]
async fn a_key_that_it_does_not_take_is_found_out() {
    let sandbox = Sandbox::start().await;
    let found = examined(&sandbox, &[("FAZPASS_MERCHANT_KEY", "somebody-elses")]).await;
    assert_eq!(found.grade, Grade::Problem);
    let advice = found.advice.as_ref().unwrap();
    assert!(advice.contains("FAZPASS_MERCHANT_KEY"), "{found:?}");
    assert!(!format!("{found:?}").contains("somebody-elses"));
}

#[tokio::test]
async fn a_fazpass_that_is_away_or_broken_is_a_problem() {
    let sandbox = Sandbox::start().await;
    sandbox.fazpass.knobs.fail_next(1, "503");
    let found = examined(&sandbox, &[]).await;
    assert_eq!(found.grade, Grade::Problem, "{found:?}");
    sandbox.fazpass.knobs.down().await;
    let found = examined(&sandbox, &[]).await;
    assert_eq!(found.grade, Grade::Problem);
    let advice = found.advice.as_ref().unwrap();
    assert!(advice.contains("FAZPASS_BASE_URL"), "{found:?}");
}
