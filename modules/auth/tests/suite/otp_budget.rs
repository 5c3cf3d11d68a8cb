//! A flood costs a bounded sum: the budget of a day.

use std::sync::Arc;

use halobestie_auth::testing::fresh_phone;
use halobestie_testkit::{Plan, TestApp};
use tokio::task::JoinSet;

use crate::server::{ENTRIES, ask, otp, seconds, tally};

/// Tests begin at eight in the morning, UTC.
const TO_MIDNIGHT: u64 = 16 * 3600;

fn plan(budget: &str) -> Plan {
    TestApp::with(ENTRIES).env("OTP_DAILY_BUDGET", budget)
}

#[tokio::test]
async fn past_the_budget_nobody_gets_a_code_until_the_next_day() {
    let app = plan("2").start().await;
    otp(&app, &fresh_phone(), "customer").await;
    otp(&app, &fresh_phone(), "mitra").await;
    let refused = ask(&app, &fresh_phone(), "customer").await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), TO_MIDNIGHT);
    app.clock.advance(seconds(TO_MIDNIGHT));
    otp(&app, &fresh_phone(), "customer").await;
}

#[tokio::test]
async fn two_replicas_spend_one_budget_to_the_last_code_and_no_further() {
    let app = Arc::new(plan("7").start().await);
    let other = Arc::new(app.replica().await);
    let mut asking = JoinSet::new();
    for index in 0..20 {
        let app = if index % 2 == 0 { &app } else { &other }.clone();
        asking.spawn(async move { ask(&app, &fresh_phone(), "customer").await });
    }
    let answers = asking.join_all().await;
    let expected = [
        (202, String::new(), 7),
        (429, "rate_limited".to_owned(), 13),
    ];
    assert_eq!(tally(&answers), expected);
    let day = app
        .database
        .row("SELECT codes, exhausted_at FROM auth_otp_days", &[])
        .await;
    assert_eq!(day.get::<_, i32>("codes"), 7);
}

#[tokio::test]
async fn what_another_limit_refuses_does_not_cost_the_budget() {
    let app = plan("2").start().await;
    let phone = fresh_phone();
    otp(&app, &phone, "customer").await;
    for _ in 0..5 {
        ask(&app, &phone, "customer")
            .await
            .problem("rate_limited", 429);
    }
    otp(&app, &fresh_phone(), "customer").await;
}

#[tokio::test]
async fn that_it_is_spent_is_noted_once() {
    let app = plan("1").no_valkey().start().await;
    otp(&app, &fresh_phone(), "customer").await;
    let exhausted = async || {
        let sql = "SELECT exhausted_at::text FROM auth_otp_days";
        app.database.row(sql, &[]).await.get::<_, Option<String>>(0)
    };
    assert_eq!(exhausted().await, None);
    ask(&app, &fresh_phone(), "customer").await.expect(429);
    let noted = exhausted().await;
    assert!(noted.is_some());
    app.clock.advance(seconds(60));
    ask(&app, &fresh_phone(), "customer").await.expect(429);
    assert_eq!(exhausted().await, noted);
}
