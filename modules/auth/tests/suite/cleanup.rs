//! The sweep `auth-cleanup`.

use halobestie_auth::testing;
use halobestie_core::app::Role;
use halobestie_testkit::TestApp;
use serde_json::json;

use crate::server::{ENTRIES, refresh, seconds, text};

const DAY: u64 = 24 * 3600;

/// A server that sweeps only when the test says so.
async fn start() -> TestApp {
    TestApp::with(ENTRIES).role(Role::Api).start().await
}

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    app.database.row(sql, &[]).await.get(0)
}

async fn otps(app: &TestApp) -> i64 {
    count(app, "SELECT count(*) FROM auth_otps").await
}

async fn sessions(app: &TestApp) -> i64 {
    count(app, "SELECT count(*) FROM auth_sessions").await
}

#[tokio::test]
async fn codes_and_login_failures_go_after_a_day() {
    let app = start().await;
    testing::customer(&app).await;
    let body = json!({"email": "nobody@halobestie.test", "password": "wrong"});
    app.internal_post("/api/admin/auth/login")
        .json(&body)
        .send()
        .await
        .expect(401);
    app.clock.advance(seconds(DAY));
    assert_eq!(app.run_sweep("auth-cleanup").await.changed, 0);
    app.clock.advance(seconds(1));
    // The code, and the tries of the pair, of the network and of strangers.
    assert_eq!(app.run_sweep("auth-cleanup").await.changed, 4);
    assert_eq!(otps(&app).await, 0);
    assert_eq!(
        count(&app, "SELECT count(*) FROM auth_login_failures").await,
        0
    );
}

#[tokio::test]
async fn a_days_count_of_codes_goes_after_thirty_days() {
    let app = start().await;
    testing::customer(&app).await;
    let days = async || count(&app, "SELECT count(*) FROM auth_otp_days").await;
    app.clock.advance(seconds(30 * DAY));
    app.run_sweep("auth-cleanup").await;
    assert_eq!(days().await, 1);
    app.clock.advance(seconds(DAY));
    app.run_sweep("auth-cleanup").await;
    assert_eq!(days().await, 0);
}

#[tokio::test]
async fn sessions_go_thirty_days_after_their_end() {
    let app = start().await;
    let ended = testing::customer(&app).await;
    let (living, silent) = (testing::customer(&app).await, testing::customer(&app).await);
    app.post("/api/auth/logout")
        .bearer(&ended.access_token)
        .send()
        .await
        .expect(204);
    app.clock.advance(seconds(20 * DAY));
    let tokens = refresh(&app, &living.refresh_token)
        .await
        .expect(200)
        .json();
    app.clock.advance(seconds(10 * DAY + 1));
    app.run_sweep("auth-cleanup").await;
    assert_eq!(
        sessions(&app).await,
        2,
        "the one that was signed out is gone"
    );
    refresh(&app, &silent.refresh_token)
        .await
        .problem("refresh_invalid", 401);
    let tokens = refresh(&app, &text(&tokens, "refresh_token"))
        .await
        .expect(200)
        .json();
    app.clock.advance(seconds(30 * DAY));
    app.run_sweep("auth-cleanup").await;
    assert_eq!(sessions(&app).await, 1, "the silent one is gone");
    refresh(&app, &text(&tokens, "refresh_token"))
        .await
        .problem("refresh_invalid", 401);
}

#[tokio::test]
async fn it_goes_on_until_all_is_gone() {
    let app = start().await;
    let many = "INSERT INTO auth_otps (id, phone_hash, role, channel, code_hash, attempts_left,
                                       created_at, expires_at)
                SELECT gen_random_uuid(), '', 'customer', 'bypass', '', 5, $1, $1
                  FROM generate_series(1, 1500)";
    app.database.execute(many, &[&app.clock.now()]).await;
    app.clock.advance(seconds(DAY + 1));
    // The runner calls the step again while a batch was full.
    app.run_sweep("auth-cleanup").await;
    assert_eq!(otps(&app).await, 0);
}

#[tokio::test]
async fn a_network_is_known_for_ninety_days() {
    let app = start().await;
    testing::admin(&app).await;
    let known = "SELECT count(*) FROM auth_known_networks";
    assert_eq!(count(&app, known).await, 1);
    app.clock.advance(seconds(90 * DAY));
    app.run_sweep("auth-cleanup").await;
    assert_eq!(count(&app, known).await, 1);
    app.clock.advance(seconds(1));
    app.run_sweep("auth-cleanup").await;
    assert_eq!(count(&app, known).await, 0);
}
