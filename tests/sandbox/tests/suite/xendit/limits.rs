//! How many calls a minute are taken.

use std::time::Duration;

use halobestie_sandbox::{Sandbox, xendit};

use super::{Merchant, refused};

#[tokio::test]
async fn an_endpoint_takes_so_many_calls_a_minute_and_says_when_it_takes_more() {
    let merchant = Merchant::new().await;
    merchant.sandbox.xendit.set_rate_limit(2);
    let first = merchant.get("/v2/invoices").await.expect(200);
    assert_eq!(first.header("rate-limit-limit"), "2");
    assert_eq!(first.header("rate-limit-remaining"), "1");
    merchant.clock.advance(Duration::from_millis(20_500));
    merchant.get("/v2/invoices").await.expect(200);
    let third = merchant.get("/v2/invoices").await;
    assert_eq!(third.header("rate-limit-remaining"), "0");
    assert_eq!(third.header("rate-limit-reset"), "39.50");
    refused(third, 429, "RATE_LIMIT_EXCEEDED");
    merchant.invoice().await;
    merchant.clock.advance(Duration::from_millis(39_500));
    merchant.get("/v2/invoices").await.expect(200);
}

#[tokio::test]
async fn a_test_key_has_the_limit_of_test_keys_and_a_live_one_of_live_ones() {
    let merchant = Merchant::new().await;
    let answer = merchant.get("/v2/invoices").await;
    assert_eq!(answer.header("rate-limit-limit"), "60");
    let account = xendit::Account {
        secret_key: "xnd_production_sandbox".to_owned(),
        ..xendit::Account::default()
    };
    let sandbox = Sandbox::builder().xendit(account).start().await.unwrap();
    let live = Merchant {
        sandbox,
        ..merchant
    };
    let answer = live.get("/v2/invoices").await.expect(200);
    assert_eq!(answer.header("rate-limit-limit"), "600");
}
