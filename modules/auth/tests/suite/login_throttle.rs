//! How often passwords may be tried, and whom that never stops.

use std::sync::Arc;

use halobestie_auth::testing::register_admin;
use halobestie_testkit::{TestApp, TestResponse};
use serde_json::json;
use tokio::task::JoinSet;

use crate::server::{ENTRIES, seconds, tally};

const EMAIL: &str = "ratu@halobestie.test";
const PASSWORD: &str = "correct horse battery";
const HOME: &str = "198.51.100.1";
const QUARTER: u64 = 15 * 60;

/// A server behind a proxy, so that a test can come from anywhere.
async fn with_admin() -> TestApp {
    let plan = TestApp::with(ENTRIES).env("TRUSTED_PROXIES", "127.0.0.0/8");
    let app = plan.start().await;
    register_admin(&app, EMAIL, PASSWORD).await;
    app
}

async fn try_as(app: &TestApp, address: &str, email: &str, password: &str) -> TestResponse {
    let body = json!({"email": email, "password": password});
    let call = app.internal_post("/api/admin/auth/login").json(&body);
    call.header("x-forwarded-for", address).send().await
}

async fn login_from(app: &TestApp, address: &str, password: &str) -> TestResponse {
    try_as(app, address, EMAIL, password).await
}

async fn guess_from(app: &TestApp, address: &str) -> u16 {
    login_from(app, address, "wrong").await.status.as_u16()
}

#[tokio::test]
async fn five_wrong_passwords_from_one_address_are_enough_for_a_quarter_of_an_hour() {
    let app = with_admin().await;
    for _ in 0..5 {
        assert_eq!(guess_from(&app, HOME).await, 401);
    }
    app.clock.advance(seconds(60));
    let refused = login_from(&app, HOME, PASSWORD).await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), QUARTER - 60);
    app.clock.advance(seconds(QUARTER - 60));
    login_from(&app, HOME, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_throttled_alike() {
    let app = with_admin().await;
    for email in [EMAIL, "nobody@halobestie.test"] {
        for _ in 0..5 {
            let answer = try_as(&app, HOME, email, "wrong").await;
            answer.problem("invalid_credentials", 401);
        }
        let refused = try_as(&app, HOME, email, "wrong").await;
        refused.problem("rate_limited", 429);
        assert_eq!(refused.retry_after(), QUARTER, "{email}");
    }
    // Others are not concerned.
    register_admin(&app, "dewi@halobestie.test", PASSWORD).await;
    let answer = try_as(&app, HOME, "dewi@halobestie.test", PASSWORD).await;
    answer.expect(200);
}

#[tokio::test]
async fn a_whole_64_of_ipv6_is_one_address() {
    let app = with_admin().await;
    for host in 1..=5 {
        assert_eq!(
            guess_from(&app, &format!("2001:db8:1:1::{host}")).await,
            401
        );
    }
    assert_eq!(guess_from(&app, "2001:db8:1:1:ffff::1").await, 429);
    assert_eq!(guess_from(&app, "2001:db8:1:2::1").await, 401);
}

#[tokio::test]
async fn the_right_password_forgets_the_wrong_ones() {
    let app = with_admin().await;
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(guess_from(&app, HOME).await, 401);
        }
        login_from(&app, HOME, PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn guessing_from_many_addresses_ends_after_twenty_tries() {
    let app = with_admin().await;
    for host in 1..=20 {
        assert_eq!(guess_from(&app, &format!("203.0.113.{host}")).await, 401);
    }
    let refused = login_from(&app, "203.0.113.99", PASSWORD).await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), QUARTER);
    // What was refused did not count for longer.
    app.clock.advance(seconds(QUARTER));
    login_from(&app, "203.0.113.99", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn strangers_do_not_lock_the_owner_out_at_home() {
    let app = with_admin().await;
    login_from(&app, HOME, PASSWORD).await.expect(200);
    for host in 1..=21 {
        guess_from(&app, &format!("203.0.113.{host}")).await;
    }
    assert_eq!(guess_from(&app, "203.0.113.99").await, 429);
    // The owner, at home, may even mistype.
    assert_eq!(guess_from(&app, HOME).await, 401);
    login_from(&app, HOME, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_home_is_forgotten_after_ninety_days() {
    let app = with_admin().await;
    login_from(&app, HOME, PASSWORD).await.expect(200);
    app.clock.advance(seconds(90 * 24 * 3600));
    for host in 1..=20 {
        guess_from(&app, &format!("203.0.113.{host}")).await;
    }
    login_from(&app, HOME, PASSWORD)
        .await
        .problem("rate_limited", 429);
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_stopped_after_fifty() {
    let app = with_admin().await;
    let spray = async |index: usize| {
        let email = format!("admin{index}@halobestie.test");
        try_as(&app, "203.0.113.7", &email, "Summer2026!")
            .await
            .status
            .as_u16()
    };
    for index in 0..50 {
        assert_eq!(spray(index).await, 401);
    }
    assert_eq!(spray(50).await, 429);
    // So it makes no more rows either.
    let rows = "SELECT count(*) FROM auth_login_failures";
    let before: i64 = app.database.row(rows, &[]).await.get(0);
    assert_eq!(spray(51).await, 429);
    assert_eq!(app.database.row(rows, &[]).await.get::<_, i64>(0), before);
    login_from(&app, HOME, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn an_office_that_signs_in_all_day_is_not_stopped() {
    let app = with_admin().await;
    for _ in 0..60 {
        login_from(&app, HOME, PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn twenty_guesses_at_once_on_two_replicas_are_five() {
    let app = Arc::new(with_admin().await);
    let other = Arc::new(app.replica().await);
    let mut guessing = JoinSet::new();
    for index in 0..20 {
        let app = if index % 2 == 0 { &app } else { &other }.clone();
        guessing.spawn(async move { login_from(&app, HOME, "wrong").await });
    }
    let answers = guessing.join_all().await;
    let expected = [
        (401, "invalid_credentials".to_owned(), 5),
        (429, "rate_limited".to_owned(), 15),
    ];
    assert_eq!(tally(&answers), expected);
}
