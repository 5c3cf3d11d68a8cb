//! How webhooks are delivered.

use std::time::Duration;

use halobestie_sandbox::xendit::{Forged, Outcome, State};
use halobestie_testkit::eventually;
use serde_json::json;

use super::Merchant;
use crate::receiver::{Does, Receiver};

impl Merchant {
    /// A merchant whose webhooks go to a receiver that does this.
    async fn receiving(plan: &[Does]) -> (Self, Receiver) {
        let merchant = Self::new().await;
        let receiver = Receiver::start(plan).await;
        merchant.sandbox.xendit.set_webhook_url(&receiver.url);
        (merchant, receiver)
    }

    async fn until(&self, id: &str, state: State) {
        let look = async || self.sandbox.xendit.webhooks_about(id)[0].state == state;
        eventually("the state", look).await;
    }
}

#[tokio::test]
async fn an_event_arrives_with_token_and_id() {
    let (merchant, receiver) = Merchant::receiving(&[]).await;
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.pay(&id);
    merchant.until(&id, State::Delivered).await;
    let webhook = &merchant.sandbox.xendit.webhooks()[0];
    let received = &receiver.received()[0];
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("webhook-id"), Some(webhook.id.as_str()));
    let token = merchant.sandbox.xendit.webhook_token();
    assert_eq!(received.header("x-callback-token"), Some(token.as_str()));
    assert_eq!(received.json(), webhook.body);
    assert_eq!(webhook.attempts[0].outcome, Outcome::Answered(200));
}

#[tokio::test]
async fn a_refused_event_comes_again_with_the_same_id() {
    let (merchant, receiver) = Merchant::receiving(&[Does::Answer(500), Does::Answer(404)]).await;
    merchant
        .sandbox
        .xendit
        .configure_delivery(|it| it.speed = 1e6);
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.pay(&id);
    merchant.until(&id, State::Delivered).await;
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    assert_eq!(
        received[0].header("webhook-id"),
        received[2].header("webhook-id")
    );
    assert_eq!(received[0].body, received[2].body);
}

#[tokio::test]
async fn after_six_further_attempts_it_is_given_up() {
    let (merchant, receiver) = Merchant::receiving(&[Does::Answer(500); 20]).await;
    merchant
        .sandbox
        .xendit
        .configure_delivery(|it| it.speed = 1e8);
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.pay(&id);
    merchant.until(&id, State::GivenUp).await;
    assert_eq!(receiver.received().len(), 7);
    assert_eq!(merchant.sandbox.xendit.webhooks()[0].attempts.len(), 7);
}

#[tokio::test]
async fn an_unreachable_receiver_is_tried_again() {
    let merchant = Merchant::new().await;
    let xendit = &merchant.sandbox.xendit;
    xendit.configure_delivery(|it| it.speed = 1e4);
    xendit.set_webhook_url("http://127.0.0.1:1/hook");
    let id = merchant.invoice().await;
    xendit.pay(&id);
    eventually("an attempt", async || {
        !xendit.webhooks()[0].attempts.is_empty()
    })
    .await;
    assert_eq!(
        xendit.webhooks()[0].attempts[0].outcome,
        Outcome::Unreachable
    );
    let receiver = Receiver::start(&[]).await;
    xendit.set_webhook_url(&receiver.url);
    merchant.until(&id, State::Delivered).await;
}

#[tokio::test]
async fn an_event_that_timed_out_or_has_no_url_is_not_tried_again() {
    let (merchant, _receiver) = Merchant::receiving(&[Does::Hang]).await;
    let xendit = &merchant.sandbox.xendit;
    xendit.configure_delivery(|it| it.timeout = Duration::from_millis(50));
    let id = merchant.invoice().await;
    xendit.pay(&id);
    merchant.until(&id, State::GivenUp).await;
    assert_eq!(xendit.webhooks()[0].attempts[0].outcome, Outcome::TimedOut);
    xendit.set_webhook_urls(&[]);
    let other = merchant.invoice().await;
    xendit.pay(&other);
    merchant.until(&other, State::GivenUp).await;
    assert_eq!(xendit.webhooks()[1].attempts[0].outcome, Outcome::UrlNotSet);
}

#[tokio::test]
async fn held_events_are_sent_in_either_order_or_lost() {
    let (merchant, receiver) = Merchant::receiving(&[]).await;
    let xendit = &merchant.sandbox.xendit;
    let statuses = || {
        let received = receiver.received().into_iter();
        received
            .map(|it| it.json()["status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    xendit.hold_webhooks();
    xendit.pay_late(&merchant.invoice().await);
    assert!(xendit.webhooks().iter().all(|it| it.state == State::Held));
    xendit.release_webhooks_backwards().await;
    assert_eq!(statuses(), ["PAID", "EXPIRED"]);
    xendit.hold_webhooks();
    xendit.pay_late(&merchant.invoice().await);
    xendit.release_webhooks().await;
    assert_eq!(statuses(), ["PAID", "EXPIRED", "EXPIRED", "PAID"]);
    xendit.hold_webhooks();
    xendit.pay(&merchant.invoice().await);
    assert_eq!(xendit.lose_held_webhooks(), 1);
    xendit.release_webhooks().await;
    assert_eq!(statuses().len(), 4);
}

#[tokio::test]
async fn an_event_that_waits_for_its_next_attempt_is_held_too() {
    let (merchant, receiver) = Merchant::receiving(&[Does::Answer(500); 20]).await;
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.pay(&id);
    eventually("an attempt", async || !receiver.received().is_empty()).await;
    merchant.sandbox.xendit.hold_webhooks();
    merchant.until(&id, State::Held).await;
}

#[tokio::test]
async fn a_resent_event_is_the_same_event() {
    let (merchant, receiver) = Merchant::receiving(&[]).await;
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.pay(&id);
    merchant.until(&id, State::Delivered).await;
    let webhook_id = &merchant.sandbox.xendit.webhooks()[0].id;
    let outcome = merchant.sandbox.xendit.resend(webhook_id).await;
    assert_eq!(outcome, Some(Outcome::Answered(200)));
    let received = receiver.received();
    assert_eq!(
        received[0].header("webhook-id"),
        received[1].header("webhook-id")
    );
    assert_eq!(merchant.sandbox.xendit.resend("unknown").await, None);
}

#[tokio::test]
async fn replicas_take_turns() {
    let merchant = Merchant::new().await;
    let (one, two) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    merchant
        .sandbox
        .xendit
        .set_webhook_urls(&[&one.url, &two.url]);
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.pay_twice(&id);
    eventually("both", async || {
        one.received().len() == 1 && two.received().len() == 1
    })
    .await;
}

#[tokio::test]
async fn forged_events_are_sent_as_they_are() {
    let (merchant, receiver) = Merchant::receiving(&[]).await;
    let xendit = &merchant.sandbox.xendit;
    let id = merchant.invoice().await;
    let mut event = xendit.event(&id);
    event["amount"] = json!("50000.00");
    event["status"] = json!("ON_THE_MOON");
    let forged = Forged::json(&event).token("guessed").without_id();
    assert_eq!(xendit.forge(forged).await, Outcome::Answered(200));
    let text = Forged::text("PAID!")
        .without_token()
        .id("7")
        .content_type("text/plain");
    xendit.forge(text).await;
    let received = receiver.received();
    assert_eq!(received[0].header("x-callback-token"), Some("guessed"));
    assert_eq!(received[0].header("webhook-id"), None);
    assert_eq!(received[0].json(), event);
    assert_eq!(received[1].header("x-callback-token"), None);
    assert_eq!(received[1].header("webhook-id"), Some("7"));
    assert_eq!(received[1].header("content-type"), Some("text/plain"));
    assert_eq!(received[1].body, "PAID!");
}

#[tokio::test]
async fn the_id_can_be_left_out() {
    let (merchant, receiver) = Merchant::receiving(&[]).await;
    merchant
        .sandbox
        .xendit
        .configure_delivery(|it| it.with_id = false);
    let id = merchant.invoice().await;
    merchant.sandbox.xendit.pay(&id);
    merchant.until(&id, State::Delivered).await;
    assert_eq!(receiver.received()[0].header("webhook-id"), None);
}
