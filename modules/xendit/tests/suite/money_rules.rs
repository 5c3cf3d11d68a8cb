//! What must hold of money, whatever comes in whatever order.

use std::time::Duration;

use halobestie_sandbox::xendit::Forged;
use serde_json::json;

use crate::world::{PAYABLE, PRICE, World};

#[tokio::test]
async fn paid_after_expired_goes_back() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.expire(&invoice.id);
    world.becomes(&sale, "expired").await;
    assert_eq!(world.session(&sale).await["end_reason"], "payment_expired");
    world.sandbox.xendit.pay(&invoice.id);
    world.app.settle().await;
    world.app.finish_jobs().await;
    assert_eq!(world.session(&sale).await["status"], "ended");
    world.balances(&sale, PRICE, PRICE).await;
    let status = world.status(&sale).await;
    assert!(
        ["refund_pending", "refunded", "needs_review"].contains(&status.as_str()),
        "{status}"
    );
}

#[tokio::test]
async fn expired_after_paid_changes_nothing() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.pay(&sale).await;
    let mut event = world.sandbox.xendit.event(&invoice.id);
    event["status"] = json!("EXPIRED");
    world.sandbox.xendit.forge(Forged::json(&event)).await;
    world.app.finish_jobs().await;
    assert_eq!(world.status(&sale).await, "paid");
    assert_eq!(world.session(&sale).await["status"], "active");
}

#[tokio::test]
async fn events_in_reverse_order_leave_no_money_unexplained() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.hold_webhooks();
    world.sandbox.xendit.pay_late(&invoice.id);
    world.sandbox.xendit.release_webhooks_backwards().await;
    world.app.finish_jobs().await;
    // Two workers may take the two events in either order: the time was delivered, or the money goes back.
    let status = world.status(&sale).await;
    if status == "paid" {
        assert_eq!(world.session(&sale).await["status"], "active");
        assert_eq!(world.received(&sale).await, PRICE);
    } else {
        assert_eq!(world.session(&sale).await["status"], "ended");
        world.balances(&sale, PRICE, PRICE).await;
    }
}

#[tokio::test]
async fn another_amount_needs_a_person_and_starts_nothing() {
    for amount in [PRICE - 1, PRICE + 1] {
        let world = World::start().await;
        let sale = world.sell().await;
        let invoice = world.invoice(&sale).await;
        world.sandbox.xendit.pay_wrong_amount(&invoice.id, amount);
        world.becomes(&sale, "needs_review").await;
        assert_eq!(world.session(&sale).await["status"], "pending_payment");
        let reason = world.review_reason(&sale).await.unwrap();
        assert!(reason.contains(&amount.to_string()), "{reason}");
        world.pass(PAYABLE).await;
        world.session_becomes(&sale, "ended").await;
        assert_eq!(world.status(&sale).await, "needs_review");
        assert_eq!(world.received(&sale).await, amount);
    }
}

#[tokio::test]
async fn a_part_needs_a_person_and_starts_nothing() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.partial(&invoice.id, 10_000);
    world.becomes(&sale, "needs_review").await;
    assert_eq!(world.session(&sale).await["status"], "pending_payment");
    assert_eq!(world.received(&sale).await, 10_000);
}

#[tokio::test]
async fn an_invoice_of_another_amount_than_ours_starts_nothing() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    let mut event = world.sandbox.xendit.event(&invoice.id);
    for (member, value) in [
        ("status", json!("PAID")),
        ("amount", json!(1)),
        ("paid_amount", json!(1)),
    ] {
        event[member] = value;
    }
    world.sandbox.xendit.forge(Forged::json(&event)).await;
    world.becomes(&sale, "needs_review").await;
    assert_eq!(world.session(&sale).await["status"], "pending_payment");
}

#[tokio::test]
async fn a_second_payment_goes_back_and_the_first_one_stays_delivered() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.pay_twice(&invoice.id);
    world.app.settle().await;
    world.app.finish_jobs().await;
    world.balances(&sale, 2 * PRICE, PRICE).await;
    assert_eq!(world.session(&sale).await["status"], "active");
}

#[tokio::test]
async fn the_same_event_again_is_answered_and_changes_nothing() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.pay(&sale).await;
    let before = world.session(&sale).await["expires_at"].clone();
    world.app.clock.advance(Duration::from_secs(5));
    let webhook = world.sandbox.xendit.webhooks_about(&invoice.id).remove(0);
    assert!(world.sandbox.xendit.resend(&webhook.id).await.is_some());
    // The same by another delivery, and the word that comes when the money is ours.
    let mut event = world.sandbox.xendit.event(&invoice.id);
    world.sandbox.xendit.forge(Forged::json(&event)).await;
    event["status"] = json!("SETTLED");
    world.sandbox.xendit.forge(Forged::json(&event)).await;
    world.app.finish_jobs().await;
    assert_eq!(world.session(&sale).await["expires_at"], before);
    assert_eq!(world.received(&sale).await, PRICE);
}

#[tokio::test]
async fn what_is_paid_while_it_is_withdrawn_goes_back() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.hold_webhooks();
    world.sandbox.xendit.pay(&invoice.id);
    let path = format!("/api/chat/sessions/{}/end", sale.session_id);
    world
        .app
        .post(&path)
        .bearer(&sale.customer.access_token)
        .send()
        .await
        .expect(200);
    world.app.finish_jobs().await;
    // Found by the job that would have expired it, before any event.
    world.balances(&sale, PRICE, PRICE).await;
    world.sandbox.xendit.release_webhooks().await;
    world.app.finish_jobs().await;
    world.balances(&sale, PRICE, PRICE).await;
}

#[tokio::test]
async fn what_is_withdrawn_is_expired_at_xendit_too() {
    let world = World::start().await;
    let sale = world.sell().await;
    let path = format!("/api/chat/sessions/{}/end", sale.session_id);
    world
        .app
        .post(&path)
        .bearer(&sale.mitra.access_token)
        .send()
        .await
        .expect(200);
    world.app.finish_jobs().await;
    assert_eq!(world.invoices(&sale)[0].status, "EXPIRED");
    assert_eq!(world.status(&sale).await, "expired");
}

#[tokio::test]
async fn an_unpaid_sale_is_over_at_its_time_on_both_sides() {
    let world = World::start().await;
    let sale = world.sell().await;
    world.pass(PAYABLE).await;
    world.becomes(&sale, "expired").await;
    assert_eq!(world.session(&sale).await["end_reason"], "payment_expired");
    world.app.finish_jobs().await;
    assert_eq!(world.invoices(&sale)[0].status, "EXPIRED");
}
