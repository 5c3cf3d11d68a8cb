//! The commands as a person at a terminal meets them.

use halobestie::modules::COMPILED;
use halobestie_testkit::TestDb;

use crate::process::{Environment, shown};

#[tokio::test]
async fn every_configuration_mistake_gets_a_line_and_exit_2() {
    let environment = Environment::minimal()
        .with("APP_ENV", "test")
        .with("DATABASE_POOL_SIZE", "many")
        .with("AUTH_JWT_SECRET", "short")
        .with("PUBLIC_ADDR", "everywhere");
    let output = environment.run(&["serve"]).await;
    let text = shown(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for name in [
        "DATABASE_URL",
        "DATABASE_POOL_SIZE",
        "AUTH_JWT_SECRET",
        "PUBLIC_ADDR",
    ] {
        assert!(
            text.lines().any(|line| line.contains(name)),
            "{name} is not named: {text}"
        );
    }
    assert!(!text.contains("short\""), "a secret is shown: {text}");
}

#[tokio::test]
async fn a_switch_of_a_module_is_true_or_false() {
    let environment = Environment::minimal().with("AUTH_ENABLED", "maybe");
    let output = environment.run(&["config", "check"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(
        shown(&output).contains("AUTH_ENABLED"),
        "{}",
        shown(&output)
    );
}

#[tokio::test]
async fn config_show_says_where_values_come_from_and_hides_secrets() {
    let secret = "postgres://somebody:a-password-to-hide@127.0.0.1/nowhere";
    let output = Environment::minimal()
        .with("DATABASE_URL", secret)
        .run(&["config", "show"])
        .await;
    let text = shown(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains("a-password-to-hide"), "{text}");
    let line = text
        .lines()
        .find(|line| line.contains("DATABASE_URL"))
        .expect("a line");
    assert!(
        line.contains("redacted") && line.contains("environment"),
        "{line}"
    );
}

#[tokio::test]
async fn modules_lists_what_each_contributes_even_without_a_configuration() {
    let output = Environment::minimal().run(&["modules"]).await;
    let text = shown(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for entry in COMPILED {
        assert!(
            text.lines().any(|line| line.starts_with(entry.name)),
            "{}: {text}",
            entry.name
        );
    }
    assert!(text.contains("POST /api/auth/otp/request"), "{text}");
}

#[tokio::test]
async fn openapi_prints_a_description_of_version_3_1() {
    let output = Environment::minimal().run(&["openapi"]).await;
    let described: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(described["openapi"], "3.1.0");
    assert!(described["paths"]["/api/auth/otp/request"]["post"].is_object());
}

#[tokio::test]
async fn healthcheck_tells_a_live_server_from_none() {
    let database = TestDb::create(COMPILED).await;
    let environment = Environment::over(&database);
    let server = environment.serve(&["serve"]).await;
    let asked = environment
        .clone()
        .with("INTERNAL_ADDR", &server.internal.to_string());

    let alive = asked.run(&["healthcheck"]).await;
    assert_eq!(alive.status.code(), Some(0), "{}", shown(&alive));
    assert_eq!(server.terminate().await, Some(0));
    let gone = asked.run(&["healthcheck"]).await;
    assert_eq!(gone.status.code(), Some(1), "{}", shown(&gone));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_the_variable_that_changes_it() {
    let database = TestDb::create(COMPILED).await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Environment::over(&database)
        .with("PUBLIC_ADDR", &address)
        .run(&["serve"])
        .await;
    let text = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains(&address) && text.contains("PUBLIC_ADDR"),
        "{text}"
    );
}
