//! What `halobestie seed` writes.

use halobestie_auth::testing::sign_in;
use halobestie_auth::{DEV_ADMIN_EMAIL, DEV_ADMIN_PASSWORD, SAMPLE_MITRAS};
use halobestie_core::ports::Role;
use halobestie_testkit::TestApp;
use serde_json::json;

use crate::server::{ENTRIES, start};

async fn said(app: &TestApp, seed: &str) -> Option<String> {
    app.seed()
        .await
        .into_iter()
        .find(|(name, _)| name == seed)
        .map(|(_, said)| said)
}

async fn login(app: &TestApp, email: &str, password: &str) -> u16 {
    let body = json!({"email": email, "password": password});
    let answer = app
        .internal_post("/api/admin/auth/login")
        .json(&body)
        .send()
        .await;
    answer.status.as_u16()
}

#[tokio::test]
async fn a_developers_database_has_an_admin_and_mitras() {
    let app = start().await;
    assert_eq!(
        said(&app, "sample mitras").await.unwrap(),
        "8 made, 0 were there"
    );
    assert_eq!(login(&app, DEV_ADMIN_EMAIL, DEV_ADMIN_PASSWORD).await, 200);
    for sample in SAMPLE_MITRAS {
        let mitra = sign_in(&app, Role::Mitra, sample.phone).await;
        assert_eq!(mitra.display_name, sample.name);
    }
}

#[tokio::test]
async fn running_them_twice_changes_nothing() {
    let app = start().await;
    app.seed().await;
    let dump = "SELECT json_agg(u ORDER BY u.id)::text FROM users u";
    let before: String = app.database.row(dump, &[]).await.get(0);
    app.clock.advance(crate::server::seconds(60));
    let report = app.seed().await;
    assert!(
        report.contains(&("admin".into(), format!("{DEV_ADMIN_EMAIL} was there"))),
        "{report:?}"
    );
    assert!(
        report.contains(&("sample mitras".into(), "0 made, 8 were there".into())),
        "{report:?}"
    );
    let after: String = app.database.row(dump, &[]).await.get(0);
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_deployment_gets_the_admin_of_its_configuration_or_none() {
    let deployed = || {
        TestApp::with(ENTRIES)
            .env("APP_ENV", "staging")
            .env("AUTH_BCRYPT_COST", "10")
    };
    let app = deployed().start().await;
    let none = "none made: ADMIN_EMAIL and ADMIN_PASSWORD are not set";
    assert_eq!(said(&app, "admin").await.as_deref(), Some(none));
    assert_eq!(said(&app, "sample mitras").await, None);
    assert_eq!(login(&app, DEV_ADMIN_EMAIL, DEV_ADMIN_PASSWORD).await, 401);

    let configured = deployed().env("ADMIN_EMAIL", "Ratu@halobestie.test");
    let app = configured
        .env("ADMIN_PASSWORD", "correct horse battery")
        .start()
        .await;
    assert_eq!(
        said(&app, "admin").await.as_deref(),
        Some("ratu@halobestie.test made")
    );
    assert_eq!(
        login(&app, "ratu@halobestie.test", "correct horse battery").await,
        200
    );
}
