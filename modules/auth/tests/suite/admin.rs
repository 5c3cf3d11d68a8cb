//! Admins: by password, on the internal listener alone.

use std::sync::Arc;

use halobestie_auth::testing::{self, register_admin};
use halobestie_testkit::{TestApp, TestResponse};
use serde_json::json;
use tokio::task::JoinSet;

use crate::server::{keys, me, refresh, seconds, start, tally, text};

const EMAIL: &str = "ratu@halobestie.test";
const PASSWORD: &str = "correct horse battery";

async fn with_admin() -> TestApp {
    let app = start().await;
    register_admin(&app, EMAIL, PASSWORD).await;
    app
}

async fn login(app: &TestApp, email: &str, password: &str) -> TestResponse {
    let body = json!({"email": email, "password": password});
    app.internal_post("/api/admin/auth/login")
        .json(&body)
        .send()
        .await
}

async fn refresh_as_admin(app: &TestApp, refresh_token: &str) -> TestResponse {
    let body = json!({"refresh_token": refresh_token});
    app.internal_post("/api/admin/auth/refresh")
        .json(&body)
        .send()
        .await
}

#[tokio::test]
async fn the_right_password_signs_in() {
    let app = with_admin().await;
    let answer = login(&app, "  Ratu@Halobestie.test ", PASSWORD)
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let user = answer.json()["user"].clone();
    assert_eq!(
        keys(&user),
        ["display_name", "email", "id", "is_new", "language", "role"]
    );
    assert_eq!(
        (&user["role"], &user["email"]),
        (&json!("admin"), &json!(EMAIL))
    );
    let token = text(&answer.json(), "access_token");
    assert_eq!(me(&app, &token).await.expect(200).json()["role"], "admin");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_email_look_the_same() {
    let app = with_admin().await;
    let mut problems = Vec::new();
    let nobody = "nobody@halobestie.test";
    let too_long = format!("{PASSWORD}{}", "x".repeat(80));
    for (email, password) in [
        (EMAIL, "wrong"),
        (nobody, PASSWORD),
        (EMAIL, ""),
        (EMAIL, &too_long),
    ] {
        let mut problem = login(&app, email, password)
            .await
            .problem("invalid_credentials", 401);
        problem["request_id"] = json!("an id");
        problems.push(problem);
    }
    assert!(
        problems.windows(2).all(|pair| pair[0] == pair[1]),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_customer_has_no_password() {
    let app = with_admin().await;
    let person = testing::customer(&app).await;
    let sql = "UPDATE users SET email = 'sari@halobestie.test' WHERE id = $1";
    assert_eq!(app.database.execute(sql, &[&person.user_id]).await, 1);
    login(&app, "sari@halobestie.test", "")
        .await
        .problem("invalid_credentials", 401);
}

#[tokio::test]
async fn a_disabled_admin_is_told_so_after_the_right_password() {
    let app = with_admin().await;
    app.database
        .execute("UPDATE users SET is_active = false", &[])
        .await;
    login(&app, EMAIL, "wrong")
        .await
        .problem("invalid_credentials", 401);
    login(&app, EMAIL, PASSWORD)
        .await
        .problem("account_disabled", 403);
}

#[tokio::test]
async fn five_wrong_passwords_are_enough_for_a_quarter_of_an_hour() {
    let app = with_admin().await;
    for _ in 0..5 {
        login(&app, EMAIL, "wrong")
            .await
            .problem("invalid_credentials", 401);
    }
    app.clock.advance(seconds(60));
    let refused = login(&app, EMAIL, PASSWORD).await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 14 * 60);
    // An account that does not exist is throttled alike, others are not.
    register_admin(&app, "dewi@halobestie.test", PASSWORD).await;
    login(&app, "dewi@halobestie.test", PASSWORD)
        .await
        .expect(200);
    for _ in 0..5 {
        login(&app, "nobody@halobestie.test", "wrong")
            .await
            .problem("invalid_credentials", 401);
    }
    login(&app, "nobody@halobestie.test", "wrong")
        .await
        .problem("rate_limited", 429);
    app.clock.advance(seconds(14 * 60));
    login(&app, EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn an_attacker_elsewhere_does_not_lock_the_owner_out() {
    let plan = TestApp::with(crate::server::ENTRIES).env("TRUSTED_PROXIES", "127.0.0.0/8");
    let app = plan.start().await;
    register_admin(&app, EMAIL, PASSWORD).await;
    let login_from = async |address: &str, password: &str| {
        let body = json!({"email": EMAIL, "password": password});
        let call = app.internal_post("/api/admin/auth/login").json(&body);
        call.header("x-forwarded-for", address).send().await
    };
    for _ in 0..5 {
        login_from("203.0.113.7", "wrong")
            .await
            .problem("invalid_credentials", 401);
    }
    login_from("203.0.113.7", PASSWORD)
        .await
        .problem("rate_limited", 429);
    login_from("198.51.100.1", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn the_right_password_forgets_the_wrong_ones() {
    let app = with_admin().await;
    for _ in 0..3 {
        for _ in 0..4 {
            login(&app, EMAIL, "wrong")
                .await
                .problem("invalid_credentials", 401);
        }
        login(&app, EMAIL, PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn twenty_guesses_at_once_on_two_replicas_are_five() {
    let app = Arc::new(with_admin().await);
    let other = Arc::new(app.replica().await);
    let mut guessing = JoinSet::new();
    for index in 0..20 {
        let app = if index % 2 == 0 { &app } else { &other }.clone();
        guessing.spawn(async move { login(&app, EMAIL, "wrong").await });
    }
    let answers = guessing.join_all().await;
    let expected = [
        (401, "invalid_credentials".to_owned(), 5),
        (429, "rate_limited".to_owned(), 15),
    ];
    assert_eq!(tally(&answers), expected);
}

#[tokio::test]
async fn admins_refresh_and_sign_out_on_their_own_listener() {
    let app = with_admin().await;
    let admin = testing::admin(&app).await;
    let customer = testing::customer(&app).await;
    // Each listener refreshes its own people, and a token at the wrong door loses nothing.
    refresh(&app, &admin.refresh_token)
        .await
        .problem("refresh_invalid", 401);
    refresh_as_admin(&app, &customer.refresh_token)
        .await
        .problem("refresh_invalid", 401);
    let tokens = refresh_as_admin(&app, &admin.refresh_token)
        .await
        .expect(200)
        .json();
    refresh(&app, &customer.refresh_token).await.expect(200);

    let log_out = |token: &str| {
        app.internal_post("/api/admin/auth/logout")
            .bearer(token)
            .send()
    };
    log_out(&customer.access_token)
        .await
        .problem("forbidden", 403);
    let access_token = text(&tokens, "access_token");
    log_out(&access_token).await.expect(204);
    log_out(&access_token).await.problem("unauthenticated", 401);
    let refused = refresh_as_admin(&app, &text(&tokens, "refresh_token")).await;
    refused.problem("refresh_invalid", 401);
}

#[tokio::test]
async fn neither_listener_answers_the_others_paths() {
    let app = with_admin().await;
    let body = json!({"email": EMAIL, "password": PASSWORD});
    app.post("/api/admin/auth/login")
        .json(&body)
        .send()
        .await
        .problem("not_found", 404);
    app.internal_get("/api/auth/me")
        .send()
        .await
        .problem("not_found", 404);
}

#[tokio::test]
async fn a_body_without_its_fields_is_refused() {
    let app = with_admin().await;
    for body in [
        json!({}),
        json!({"email": EMAIL}),
        json!({"email": EMAIL, "password": 7}),
    ] {
        let answer = app
            .internal_post("/api/admin/auth/login")
            .json(&body)
            .send()
            .await;
        let problem = answer.problem("validation_failed", 422);
        assert!(!problem.to_string().contains(PASSWORD));
    }
}
