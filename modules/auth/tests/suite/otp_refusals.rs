//! Valkey remembers refusals and decides nothing: with it a flood is cheap, without it no limit gives.

use halobestie_auth::testing::fresh_phone;
use halobestie_core::valkey::redis::cmd;
use halobestie_testkit::{TcpProxy, TestApp, ValkeyProcess, eventually};

use crate::server::{ENTRIES, ask, otp, seconds};

#[tokio::test]
async fn a_second_refusal_asks_no_postgres_on_any_replica() {
    let app = TestApp::with(ENTRIES).start().await;
    let other = app.replica().await;
    let phone = fresh_phone();
    otp(&app, &phone, "customer").await;
    ask(&app, &phone, "customer").await.expect(429);
    for app in [&app, &other] {
        app.settle().await;
        let before = app.statement_count();
        let refused = ask(app, &phone, "customer").await;
        refused.problem("rate_limited", 429);
        assert_eq!(refused.retry_after(), 30);
        assert_eq!(app.statement_count(), before);
    }
}

#[tokio::test]
async fn what_valkey_remembers_ends_with_the_limit() {
    let app = TestApp::with(ENTRIES).start().await;
    let phone = fresh_phone();
    otp(&app, &phone, "customer").await;
    ask(&app, &phone, "customer").await.expect(429);
    app.clock.advance(seconds(30));
    otp(&app, &phone, "customer").await;
}

#[tokio::test]
async fn limits_hold_after_valkey_was_flushed() {
    let valkey = ValkeyProcess::start().await;
    let app = TestApp::with(ENTRIES)
        .env("OTP_ADDRESS_HOURLY", "2")
        .env("OTP_DAILY_BUDGET", "3")
        .valkey_at(&valkey.url())
        .start()
        .await;
    let phone = fresh_phone();
    otp(&app, &phone, "customer").await;
    ask(&app, &phone, "customer").await.expect(429);
    flush(&app).await;
    ask(&app, &phone, "customer")
        .await
        .problem("rate_limited", 429);
    otp(&app, &fresh_phone(), "customer").await;
    ask(&app, &fresh_phone(), "customer").await.expect(429);
    flush(&app).await;
    let refused = ask(&app, &fresh_phone(), "customer").await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 3600);
    // Neither does losing it take anything from the budget.
    app.clock.advance(seconds(3600));
    otp(&app, &fresh_phone(), "customer").await;
    ask(&app, &fresh_phone(), "customer").await.expect(429);
}

#[tokio::test]
async fn limits_hold_over_replicas_while_valkey_is_away() {
    let proxy = TcpProxy::to_valkey().await;
    let plan = TestApp::with(ENTRIES).env("OTP_ADDRESS_HOURLY", "3");
    let app = plan.valkey_at(&proxy.valkey_url()).start().await;
    let other = app.replica().await;
    proxy.cut();
    for app in [&app, &other] {
        let valkey = app.context().valkey.as_ref().unwrap();
        eventually("valkey is away", || async { !valkey.is_up() }).await;
    }
    let phone = fresh_phone();
    otp(&app, &phone, "customer").await;
    for app in [&app, &other] {
        let refused = ask(app, &phone, "customer").await;
        refused.problem("rate_limited", 429);
        assert_eq!(refused.retry_after(), 30);
    }
    otp(&other, &fresh_phone(), "customer").await;
    otp(&app, &fresh_phone(), "customer").await;
    ask(&other, &fresh_phone(), "customer")
        .await
        .problem("rate_limited", 429);
}

#[tokio::test]
async fn nonsense_in_valkey_is_no_refusal() {
    let app = TestApp::with(ENTRIES).start().await;
    let valkey = app.context().valkey.as_ref().unwrap();
    let key = valkey.key("auth:refused:budget");
    let mut set = cmd("SET");
    valkey
        .run::<()>(set.arg(&key).arg("nonsense"))
        .await
        .unwrap();
    otp(&app, &fresh_phone(), "customer").await;
}

async fn flush(app: &TestApp) {
    let valkey = app.context().valkey.as_ref().unwrap();
    valkey.run::<()>(&cmd("FLUSHALL")).await.unwrap();
}
