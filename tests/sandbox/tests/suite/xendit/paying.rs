//! What customers and time do with invoices, and the events that come of it.

use std::time::Duration;

use halobestie_sandbox::xendit::Channel;
use halobestie_testkit::eventually;

use super::Merchant;

/// The events about an invoice: status and paid amount of each.
fn told(merchant: &Merchant, id: &str) -> Vec<(String, Option<i64>)> {
    let told = merchant.sandbox.xendit.webhooks_about(id).into_iter();
    told.map(|it| {
        let status = it.body["status"].as_str().unwrap().to_owned();
        (status, it.body["paid_amount"].as_i64())
    })
    .collect()
}

fn event(status: &str, amount: impl Into<Option<i64>>) -> (String, Option<i64>) {
    (status.to_owned(), amount.into())
}

#[tokio::test]
async fn a_paid_invoice_is_told_with_how_it_was_paid() {
    let merchant = Merchant::new().await;
    let id = merchant.invoice().await;
    let payment = merchant.sandbox.xendit.pay_by(&id, Channel::Qris);
    assert_eq!(merchant.status(&id).await, "PAID");
    let body = merchant.sandbox.xendit.webhooks_about(&id)[0].body.clone();
    assert_eq!(body["id"], id.as_str());
    assert_eq!(body["external_id"], "order-1");
    assert_eq!(body["amount"], 50_000);
    assert_eq!(body["paid_amount"], 50_000);
    assert_eq!(body["payment_id"], payment.payment_id.as_str());
    assert_eq!(body["payment_channel"], "QRIS");
    assert_eq!(body["payment_details"]["source"], "DANA");
    assert_eq!(body["paid_at"], "2027-01-15T08:00:00.000Z");
    assert!(body.get("event").is_none());
}

#[tokio::test]
async fn an_invoice_expires_by_itself_and_says_so() {
    let merchant = Merchant::new().await;
    let id = merchant.invoice().await;
    merchant.clock.advance(Duration::from_secs(899));
    assert_eq!(merchant.status(&id).await, "PENDING");
    merchant.clock.advance(Duration::from_secs(1));
    // Nobody asks for it here: the sandbox has to notice.
    eventually("the event", async || told(&merchant, &id).len() == 1).await;
    assert_eq!(told(&merchant, &id), [event("EXPIRED", None)]);
    assert_eq!(merchant.status(&id).await, "EXPIRED");
}

#[tokio::test]
async fn a_late_payment_follows_the_expiry() {
    let merchant = Merchant::new().await;
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.pay_late(&id);
    assert_eq!(
        told(&merchant, &id),
        [event("EXPIRED", None), event("PAID", 50_000)]
    );
    assert_eq!(merchant.status(&id).await, "PAID");
}

#[tokio::test]
async fn a_double_payment_is_two_payments() {
    let merchant = Merchant::new().await;
    let id = merchant.invoice().await;
    let [one, two] = merchant.sandbox.xendit.pay_twice(&id);
    assert_ne!(one.payment_id, two.payment_id);
    assert_eq!(
        told(&merchant, &id),
        [event("PAID", 50_000), event("PAID", 50_000)]
    );
    let webhooks = merchant.sandbox.xendit.webhooks_about(&id);
    assert_ne!(webhooks[0].id, webhooks[1].id);
    assert_eq!(
        merchant.sandbox.xendit.invoice(&id).unwrap().paid_amount(),
        100_000
    );
}

#[tokio::test]
async fn a_wrong_amount_is_told_beside_the_right_one() {
    let merchant = Merchant::new().await;
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.pay_wrong_amount(&id, 40_000);
    assert_eq!(told(&merchant, &id), [event("PAID", 40_000)]);
    assert_eq!(merchant.sandbox.xendit.webhooks()[0].body["amount"], 50_000);
}

#[tokio::test]
async fn a_partial_payment_leaves_the_invoice_pending() {
    let merchant = Merchant::new().await;
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.partial(&id, 20_000);
    assert_eq!(told(&merchant, &id), [event("PENDING", 20_000)]);
    assert_eq!(merchant.status(&id).await, "PENDING");
}

#[tokio::test]
async fn any_status_can_be_set_without_telling() {
    let merchant = Merchant::new().await;
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.set_status(&id, "ON_THE_MOON");
    assert_eq!(merchant.status(&id).await, "ON_THE_MOON");
    assert!(told(&merchant, &id).is_empty());
}
