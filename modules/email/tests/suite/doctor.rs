//! What the doctor says of the mail server.

use std::collections::BTreeMap;

use halobestie_core::app::AppOptions;
use halobestie_core::config::{Config, Sources};
use halobestie_core::doctor::{Finding, Grade, Treatment, visit};
use halobestie_testkit::TestDb;

use crate::server::ENTRIES;
use crate::smtp::MailServer;

async fn finding(smtp_url: &str) -> Finding {
    let database = TestDb::create(ENTRIES).await;
    let env: BTreeMap<String, String> = [
        ("APP_ENV", "test"),
        (
            "AUTH_JWT_SECRET",
            "a secret that only the tests of this project know",
        ),
        ("AUTH_BCRYPT_COST", "4"),
        ("DATABASE_URL", database.url()),
        ("EMAIL_ENABLED", "true"),
        ("INTERNAL_ADDR", "127.0.0.1:0"),
        ("PUBLIC_ADDR", "127.0.0.1:0"),
        ("SMTP_FROM", "no-reply@halobestie.test"),
        ("SMTP_URL", smtp_url),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let sources = Sources {
        env,
        ..Sources::default()
    };
    let config = Config::load(&sources, ENTRIES, &["auth", "email"]).unwrap();
    let report = visit(&config, &AppOptions::new(ENTRIES), Treatment::Look)
        .await
        .unwrap();
    let mut examined = report.examinations.into_iter();
    examined.find(|it| it.name == "smtp").unwrap().finding
}

#[tokio::test]
async fn it_greets_and_signs_in_and_sends_nothing() {
    let mail = MailServer::start().await;
    let finding = finding(&mail.url()).await;
    assert_eq!(finding.grade, Grade::Ok, "{finding:?}");
    assert_eq!((mail.connections(), mail.arrived().len()), (1, 0));
}

#[tokio::test]
async fn a_wrong_password_and_an_absent_server_are_told_without_the_password() {
    let mail = MailServer::start().await;
    let wrong = format!("smtp://somebody:a-wrong-one@{}", mail.address);
    for url in [wrong.as_str(), "smtp://somebody:a-wrong-one@127.0.0.1:1"] {
        let finding = finding(url).await;
        assert_eq!(finding.grade, Grade::Problem, "{finding:?}");
        let told = format!("{finding:?}");
        assert!(
            told.contains("SMTP_URL") && !told.contains("a-wrong-one"),
            "{told}"
        );
    }
}
