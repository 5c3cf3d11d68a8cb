//! Which starts are refused, and what goes without a key.

use halobestie_core::ports::AnalyticsEvent;
use halobestie_testkit::TestApp;

use crate::world::ENTRIES;

const KEY: &str = "A-EU-0123456789";
/// `printf %s A-EU-0123456789 | sha256sum`
const MARK: &str = "cf546fa9c21553f590df9708aca71c273f114fcb57a8d851d72d7772297f63c8";

async fn refused(variables: &[(&str, &str)]) -> String {
    let plan = TestApp::with(ENTRIES);
    let plan = variables
        .iter()
        .fold(plan, |plan, (name, value)| plan.env(name, value));
    match plan.try_start().await {
        Ok(_) => panic!("started with {variables:?}"),
        Err(problem) => problem,
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_counted_and_nobody_notices() {
    let app = TestApp::with(ENTRIES)
        .env("APP_ENV", "production")
        .env("APTABASE_STAGING_KEY_SHA256", MARK)
        .start()
        .await;
    let analytics = app.context().ports.analytics.get().unwrap();
    analytics.tell(AnalyticsEvent::new("unheard"));
    app.get("/readyz").send().await.expect(200);
}

#[tokio::test]
async fn production_with_stagings_key_is_refused_and_the_key_is_not_quoted() {
    let problem = refused(&[
        ("APP_ENV", "production"),
        ("APTABASE_APP_KEY", KEY),
        ("APTABASE_STAGING_KEY_SHA256", MARK),
    ])
    .await;
    assert!(problem.contains("APTABASE_APP_KEY"), "{problem}");
    assert!(problem.contains("staging"), "{problem}");
    assert!(!problem.contains(KEY), "{problem}");
}

#[tokio::test]
async fn staging_with_another_key_than_the_marked_one_is_refused() {
    let problem = refused(&[
        ("APP_ENV", "staging"),
        ("APTABASE_APP_KEY", "A-EU-9"),
        ("APTABASE_STAGING_KEY_SHA256", MARK),
    ])
    .await;
    assert!(problem.contains("APTABASE_STAGING_KEY_SHA256"), "{problem}");
}

#[tokio::test]
async fn a_key_that_does_not_say_where_needs_a_host() {
    let problem = refused(&[("APTABASE_APP_KEY", "A-SH-0123456789")]).await;
    assert!(problem.contains("APTABASE_BASE_URL"), "{problem}");
}
