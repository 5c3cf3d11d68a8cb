//! How often a phone may ask for a code: across replicas, and when all ask at once.

use std::sync::Arc;

use halobestie_auth::testing::fresh_phone;
use tokio::task::JoinSet;

use crate::server::{ask, otp, seconds, start, tally};

#[tokio::test]
async fn the_next_code_waits_for_half_a_minute() {
    let app = start().await;
    let phone = fresh_phone();
    otp(&app, &phone, "customer").await;
    let refused = ask(&app, &phone, "customer").await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 30);
    app.clock.advance(seconds(29));
    let refused = ask(&app, &phone, "customer").await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 1);
    app.clock.advance(seconds(1));
    otp(&app, &phone, "customer").await;
}

#[tokio::test]
async fn a_phone_gets_five_codes_an_hour() {
    let app = start().await;
    let phone = fresh_phone();
    for _ in 0..5 {
        otp(&app, &phone, "customer").await;
        app.clock.advance(seconds(60));
    }
    let refused = ask(&app, &phone, "customer").await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 55 * 60);
    app.clock.advance(seconds(55 * 60));
    otp(&app, &phone, "customer").await;
    ask(&app, &phone, "customer")
        .await
        .problem("rate_limited", 429);
}

#[tokio::test]
async fn limits_are_the_phones_and_nobody_elses() {
    let app = start().await;
    let phone = fresh_phone();
    otp(&app, &phone, "customer").await;
    // The message would go to the same phone.
    ask(&app, &phone, "mitra")
        .await
        .problem("rate_limited", 429);
    otp(&app, &fresh_phone(), "customer").await;
}

#[tokio::test]
async fn many_at_once_on_two_replicas_get_one_code() {
    let app = Arc::new(start().await);
    let other = Arc::new(app.replica().await);
    let phone = fresh_phone();
    let mut asking = JoinSet::new();
    for index in 0..20 {
        let (app, phone) = (
            if index % 2 == 0 { &app } else { &other }.clone(),
            phone.clone(),
        );
        asking.spawn(async move { ask(&app, &phone, "customer").await });
    }
    let answers = asking.join_all().await;
    let expected = [
        (202, String::new(), 1),
        (429, "rate_limited".to_owned(), 19),
    ];
    assert_eq!(tally(&answers), expected);
}

#[tokio::test]
async fn limits_are_configurable_and_the_pause_can_be_off() {
    let plan = halobestie_testkit::TestApp::with(crate::server::ENTRIES);
    let app = plan
        .env("OTP_RESEND_SECONDS", "0")
        .env("OTP_PHONE_HOURLY", "2")
        .start()
        .await;
    let phone = fresh_phone();
    otp(&app, &phone, "customer").await;
    otp(&app, &phone, "customer").await;
    let refused = ask(&app, &phone, "customer").await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 3600);
}
