//! The comparison with Xendit: what no event told of.

use std::time::Duration;

use halobestie_testkit::eventually;
use serde_json::json;
use uuid::Uuid;

use crate::world::{LEASE, PRICE, World};

const MINUTE: Duration = Duration::from_secs(61);

#[tokio::test]
async fn what_is_younger_than_a_minute_is_left_to_its_event() {
    let world = World::start().await;
    let sale = world.sell().await;
    world.sandbox.xendit.hold_webhooks();
    world.sandbox.xendit.pay(&world.invoices(&sale)[0].id);
    let gets = || {
        let calls = world.sandbox.xendit.calls();
        calls
            .iter()
            .filter(|it| it.operation == "invoices.get")
            .count()
    };
    world.app.clock.advance(Duration::from_secs(59));
    world.reconcile().await;
    assert_eq!(gets(), 0);
    world.app.clock.advance(Duration::from_secs(2));
    world.reconcile().await;
    world.becomes(&sale, "paid").await;
    assert_eq!(gets(), 1);
}

#[tokio::test]
async fn what_expired_there_is_over_here() {
    let world = World::start().await;
    let sale = world.sell().await;
    world
        .sandbox
        .xendit
        .set_status(&world.invoices(&sale)[0].id, "EXPIRED");
    world.app.clock.advance(MINUTE);
    world.reconcile().await;
    world.becomes(&sale, "expired").await;
    assert_eq!(world.session(&sale).await["end_reason"], "payment_expired");
}

#[tokio::test]
async fn a_late_payment_without_an_event_is_found_all_the_same() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.expire(&invoice.id);
    world.becomes(&sale, "expired").await;
    world.sandbox.xendit.hold_webhooks();
    world.sandbox.xendit.pay(&invoice.id);
    world.app.clock.advance(MINUTE);
    world.reconcile().await;
    world.balances(&sale, PRICE, PRICE).await;
}

#[tokio::test]
async fn what_is_paid_there_and_unknown_here_is_told_once() {
    let world = World::start().await;
    for (external_id, id) in [
        ("ours", Uuid::from_u128(7).to_string()),
        ("no id of ours", "x".into()),
    ] {
        let request = json!({"external_id": id, "amount": PRICE, "description": external_id});
        world.create_past_us(&request).await;
    }
    world.sandbox.xendit.hold_webhooks();
    for invoice in world.sandbox.xendit.invoices() {
        world.sandbox.xendit.pay(&invoice.id);
    }
    for _ in 0..2 {
        world.app.clock.advance(MINUTE);
        world.reconcile().await;
    }
    eventually("it is told", || async {
        world.metric("halobestie_payment_strays_total").await == 1
    })
    .await;
    let row = world
        .app
        .database
        .row("SELECT count(*) FROM payment_strays", &[])
        .await;
    assert_eq!(row.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn after_an_outage_all_of_it_is_compared_an_hour_at_a_time() {
    const HOUR: Duration = Duration::from_secs(3600);
    let world = World::start().await;
    world.sandbox.xendit.hold_webhooks();
    world.reconcile().await;
    world.sandbox.xendit.knobs.down().await;
    for hour in 1..4 {
        let external_id = Uuid::from_u128(hour).to_string();
        world.sandbox.xendit.knobs.up().await;
        let request = json!({"external_id": external_id, "amount": PRICE, "description": "?"});
        world.create_past_us(&request).await;
        world.sandbox.xendit.knobs.down().await;
        let invoice = world.sandbox.xendit.invoices_of(&external_id).remove(0);
        world.sandbox.xendit.pay(&invoice.id);
        world.app.clock.advance(HOUR);
    }
    world.sandbox.xendit.knobs.up().await;
    world.app.clock.advance(MINUTE);
    world.reconcile().await;
    eventually("all are told", || async {
        world.metric("halobestie_payment_strays_total").await == 3
    })
    .await;
    // The first time it looks back a day.
    eventually("every hour is compared", || async {
        let calls = world.sandbox.xendit.calls();
        let windows = calls.iter().filter(|it| it.query.contains("paid_before"));
        windows.count() >= 24 + 3
    })
    .await;
}

#[tokio::test]
async fn a_refusal_for_good_ends_the_sale_at_once() {
    let world = World::start().await;
    world
        .sandbox
        .xendit
        .knobs
        .fail_next(1, "API_VALIDATION_ERROR");
    let sale = world.sell_unasked().await;
    world.becomes(&sale, "failed").await;
    assert_eq!(world.session(&sale).await["end_reason"], "payment_expired");
}

#[tokio::test]
async fn too_many_calls_wait_as_long_as_xendit_says() {
    let world = World::start().await;
    let limit =
        halobestie_sandbox::Fault::error_for("RATE_LIMIT_EXCEEDED", Duration::from_millis(58_370));
    world
        .sandbox
        .xendit
        .knobs
        .strike(Some("invoices.create"), 1, limit);
    let sale = world.sell_unasked().await;
    world.app.finish_jobs().await;
    world.pass(Duration::from_secs(50)).await;
    assert_eq!(world.invoices(&sale).len(), 0);
    world.pass(Duration::from_secs(30)).await;
    world.invoice(&sale).await;
    assert_eq!(world.invoices(&sale).len(), 1);
}

#[tokio::test]
async fn while_xendit_is_away_the_sale_waits_and_then_goes_on() {
    let world = World::start().await;
    world.sandbox.xendit.knobs.down().await;
    let sale = world.sell_unasked().await;
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.status(&sale).await, "creating");
    world.sandbox.xendit.knobs.up().await;
    world.pass(LEASE).await;
    world.invoice(&sale).await;
    assert_eq!(world.invoices(&sale).len(), 1);
}
