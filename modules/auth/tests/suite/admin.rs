//! Admins: by password, on the internal listener alone.

use halobestie_auth::testing::{self, register_admin};
use halobestie_testkit::{TestApp, TestResponse};
use serde_json::json;

use crate::server::{ENTRIES, keys, me, refresh, start, text};

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

#[tokio::test]
async fn a_hash_of_another_cost_is_made_anew_by_the_right_password() {
    let app = TestApp::with(ENTRIES)
        .env("AUTH_BCRYPT_COST", "5")
        .start()
        .await;
    register_admin(&app, EMAIL, PASSWORD).await;
    let cost = async || {
        let sql = "SELECT substr(password_hash, 1, 7) FROM users";
        app.database.row(sql, &[]).await.get::<_, String>(0)
    };
    login(&app, EMAIL, "wrong")
        .await
        .problem("invalid_credentials", 401);
    assert_eq!(cost().await, "$2b$04$");
    login(&app, EMAIL, PASSWORD).await.expect(200);
    assert_eq!(cost().await, "$2b$05$");
    login(&app, EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn known_and_unknown_emails_cost_the_same_statements() {
    let app = with_admin().await;
    let mut counts = Vec::new();
    for email in [EMAIL, "nobody@halobestie.test"] {
        app.settle().await;
        let before = app.statement_count();
        login(&app, email, "wrong")
            .await
            .problem("invalid_credentials", 401);
        counts.push(app.statement_count() - before);
    }
    assert_eq!(counts[0], counts[1]);
}
