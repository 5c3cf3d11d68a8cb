//! `halobestie admin`, as a person at a terminal or a script meets it.

use std::process::Output;

use halobestie::modules::COMPILED;
use halobestie_testkit::{TestApp, TestDb, TestResponse};
use serde_json::{Value, json};

use crate::process::{Environment, shown};

const EMAIL: &str = "ratu@halobestie.test";
const PASSWORD: &str = "correct horse battery";

async fn database() -> (TestDb, Environment) {
    let database = TestDb::create(COMPILED).await;
    let environment = Environment::over(&database);
    (database, environment)
}

async fn login(app: &TestApp, password: &str) -> TestResponse {
    let body = json!({"email": EMAIL, "password": password});
    let call = app.internal_post("/api/admin/auth/login").json(&body);
    call.send().await
}

#[track_caller]
fn ended(output: &Output, code: i32) -> String {
    let text = shown(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

#[tokio::test]
async fn an_admin_is_made_of_a_password_on_standard_input() {
    let (database, environment) = database().await;
    let create = ["admin", "create", "Ratu@halobestie.test", "--role", "owner"];
    let output = environment
        .run_with_input(&create, &format!("{PASSWORD}\n"))
        .await;
    let text = ended(&output, 0);
    assert!(
        text.contains("ratu@halobestie.test: made, as owner"),
        "{text}"
    );
    assert!(!text.contains(PASSWORD), "{text}");
    let app = TestApp::with(COMPILED).database(&database).start().await;
    login(&app, PASSWORD).await.expect(200);

    let again = environment.run_with_input(&create, PASSWORD).await;
    assert!(ended(&again, 1).contains("there is an admin ratu@halobestie.test already"));
}

#[tokio::test]
async fn a_generated_password_is_shown_once_and_works() {
    let (database, environment) = database().await;
    let output = environment
        .run(&["admin", "create", EMAIL, "--generate"])
        .await;
    let text = ended(&output, 0);
    let password = text
        .lines()
        .find_map(|line| line.strip_prefix("password: "));
    let password = password.expect("it is shown").to_owned();
    let app = TestApp::with(COMPILED).database(&database).start().await;
    login(&app, &password).await.expect(200);
    let listed = environment.run(&["admin", "list"]).await;
    assert!(!ended(&listed, 0).contains(&password));
}

#[tokio::test]
async fn a_reset_signs_the_admin_out_of_a_running_server() {
    let (database, environment) = database().await;
    let app = TestApp::with(COMPILED).database(&database).start().await;
    let create = ["admin", "create", EMAIL];
    ended(&environment.run_with_input(&create, PASSWORD).await, 0);
    let tokens = login(&app, PASSWORD).await.expect(200).json();
    let reset = ["admin", "reset-password", EMAIL];
    ended(
        &environment.run_with_input(&reset, "another fine one").await,
        0,
    );
    login(&app, PASSWORD)
        .await
        .problem("invalid_credentials", 401);
    login(&app, "another fine one").await.expect(200);
    let body = json!({"refresh_token": tokens["refresh_token"]});
    let call = app.internal_post("/api/admin/auth/refresh").json(&body);
    call.send().await.problem("refresh_invalid", 401);

    // What was done without the control center stands in its audit as well, without the password.
    let deeds = "SELECT action, admin_name, subject, after::text FROM audit_log ORDER BY id";
    let deeds = database.rows(deeds, &[]).await;
    let of = |at: usize, column: usize| deeds[at].get::<_, String>(column);
    assert_eq!(
        [of(0, 0), of(1, 0)],
        ["admin.create", "admin.password"].map(str::to_owned)
    );
    assert_eq!(of(1, 1), "the command line");
    assert_eq!(of(0, 2), of(1, 2));
    assert!(of(0, 3).contains(EMAIL), "{}", of(0, 3));
    assert!(!of(1, 3).contains("fine"), "{}", of(1, 3));

    let unknown = ["admin", "reset-password", "nobody@halobestie.test"];
    let output = environment
        .run_with_input(&unknown, "another fine one")
        .await;
    assert!(ended(&output, 1).contains("there is no admin nobody@halobestie.test"));
}

#[tokio::test]
async fn the_list_says_who_may_do_what() {
    let (_database, environment) = database().await;
    let empty = ended(&environment.run(&["admin", "list"]).await, 0);
    assert!(empty.contains("no admin yet"), "{empty}");
    for (email, role) in [(EMAIL, "viewer"), ("dewi@halobestie.test", "owner")] {
        let create = [
            "admin", "create", email, "--role", role, "--name", "Somebody",
        ];
        ended(&environment.run_with_input(&create, PASSWORD).await, 0);
    }
    let output = environment.run(&["admin", "list", "--json"]).await;
    let listed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let roles: Vec<&str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it["role"].as_str())
        .collect();
    assert_eq!(roles, ["owner", "viewer"], "by email");
    let table = ended(&environment.run(&["admin", "list"]).await, 0);
    assert!(
        table.contains(EMAIL) && table.contains("Somebody"),
        "{table}"
    );
    assert!(!table.contains("$2b$"), "{table}");
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_words() {
    let (_database, environment) = database().await;
    let create = ["admin", "create", EMAIL];
    for (args, input, code, expected) in [
        (&create[..], "", 1, "standard input holds no password"),
        (&create[..], "short", 1, "8 to 71 bytes"),
        (
            &["admin", "create", "ratu"][..],
            PASSWORD,
            1,
            "is not an email address",
        ),
        (
            &["admin", "create", EMAIL, "--role", "king"][..],
            PASSWORD,
            2,
            "owner, operator, viewer",
        ),
        (
            &["admin", "create", EMAIL, "--password", "x"][..],
            PASSWORD,
            2,
            "--password",
        ),
    ] {
        let output = environment.run_with_input(args, input).await;
        let text = ended(&output, code);
        assert!(text.contains(expected), "{args:?}: {text}");
    }
    let off = environment.clone().with("AUTH_ENABLED", "false");
    let off = off
        .with("AVAILABILITY_ENABLED", "false")
        .with("CHAT_ENABLED", "false")
        .with("CONTROL_CENTER_ENABLED", "false")
        .with("UPLOADS_ENABLED", "false");
    let text = ended(&off.run(&["admin", "list"]).await, 1);
    assert!(text.contains("auth is switched off"), "{text}");
}
