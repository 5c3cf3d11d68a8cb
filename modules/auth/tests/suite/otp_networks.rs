//! How often a network may ask for codes, and that nobody can say they come from another.

use std::sync::Arc;

use halobestie_auth::testing::fresh_phone;
use halobestie_testkit::{Plan, TestApp, TestResponse};
use serde_json::json;
use tokio::task::JoinSet;

use crate::server::{ENTRIES, ask, otp, seconds, tally};

/// A server that lets a network have three codes an hour.
fn plan() -> Plan {
    TestApp::with(ENTRIES).env("OTP_ADDRESS_HOURLY", "3")
}

/// Asks for a new phone's code, as a proxy would that has written where the request came from.
async fn ask_from(app: &TestApp, forwarded_for: &str) -> TestResponse {
    let body = json!({"phone": fresh_phone(), "role": "customer"});
    let call = app.post("/api/auth/otp/request").json(&body);
    call.header("x-forwarded-for", forwarded_for).send().await
}

#[tokio::test]
async fn an_address_gets_thirty_codes_an_hour_unless_said_otherwise() {
    let app = TestApp::with(ENTRIES)
        .env("OTP_ADDRESS_HOURLY", "")
        .start()
        .await;
    for _ in 0..30 {
        otp(&app, &fresh_phone(), "customer").await;
    }
    ask(&app, &fresh_phone(), "customer")
        .await
        .problem("rate_limited", 429);
}

#[tokio::test]
async fn the_limit_holds_over_replicas_and_ends_with_the_hour() {
    let app = plan().start().await;
    let other = app.replica().await;
    otp(&app, &fresh_phone(), "customer").await;
    app.clock.advance(seconds(60));
    otp(&other, &fresh_phone(), "customer").await;
    otp(&app, &fresh_phone(), "customer").await;
    for app in [&app, &other] {
        let refused = ask(app, &fresh_phone(), "customer").await;
        refused.problem("rate_limited", 429);
        assert_eq!(refused.retry_after(), 59 * 60);
    }
    app.clock.advance(seconds(59 * 60));
    otp(&other, &fresh_phone(), "customer").await;
    ask(&app, &fresh_phone(), "customer")
        .await
        .problem("rate_limited", 429);
}

#[tokio::test]
async fn many_phones_at_once_on_two_replicas_get_no_more_than_the_limit() {
    let app = Arc::new(plan().start().await);
    let other = Arc::new(app.replica().await);
    let mut asking = JoinSet::new();
    for index in 0..20 {
        let app = if index % 2 == 0 { &app } else { &other }.clone();
        asking.spawn(async move { ask(&app, &fresh_phone(), "customer").await });
    }
    let answers = asking.join_all().await;
    let expected = [
        (202, String::new(), 3),
        (429, "rate_limited".to_owned(), 17),
    ];
    assert_eq!(tally(&answers), expected);
}

#[tokio::test]
async fn a_stranger_cannot_say_that_it_comes_from_elsewhere() {
    let app = plan().start().await;
    for number in 0..3 {
        ask_from(&app, &format!("203.0.113.{number}"))
            .await
            .expect(202);
    }
    ask_from(&app, "203.0.113.99")
        .await
        .problem("rate_limited", 429);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_limit_and_forges_nothing() {
    let app = plan().env("TRUSTED_PROXIES", "127.0.0.0/8").start().await;
    for _ in 0..3 {
        ask_from(&app, "203.0.113.1").await.expect(202);
    }
    ask_from(&app, "203.0.113.1")
        .await
        .problem("rate_limited", 429);
    // What stands left of the proxy's own word was written by the client.
    ask_from(&app, "198.51.100.7, 203.0.113.1")
        .await
        .problem("rate_limited", 429);
    ask_from(&app, "203.0.113.1, 203.0.113.2").await.expect(202);
}

#[tokio::test]
async fn the_addresses_of_one_ipv6_network_count_as_one() {
    let app = plan().env("TRUSTED_PROXIES", "127.0.0.0/8").start().await;
    for host in ["1", "2", "ffff:ffff:ffff:ffff"] {
        ask_from(&app, &format!("2001:db8:1:2:{}", padded(host)))
            .await
            .expect(202);
    }
    ask_from(&app, "2001:db8:1:2::77")
        .await
        .problem("rate_limited", 429);
    ask_from(&app, "2001:db8:1:3::77").await.expect(202);
}

/// The lower half of an IPv6 address.
fn padded(host: &str) -> String {
    let groups = host.split(':').count();
    format!("{}{host}", "0:".repeat(4 - groups))
}
