//! What may come in by the webhook's route, from Xendit and from others.

use std::time::Duration;

use halobestie_sandbox::xendit::{Forged, Outcome};
use halobestie_testkit::TestResponse;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{PRICE, Sale, World};

async fn post(world: &World, token: Option<&str>, body: impl Into<Vec<u8>>) -> TestResponse {
    let mut call = world.app.post("/api/webhooks/xendit");
    if let Some(token) = token {
        call = call.header("x-callback-token", token);
    }
    call.body("application/json", body.into()).send().await
}

async fn unchanged(world: &World, sale: &Sale) {
    world.app.finish_jobs().await;
    assert_eq!(world.status(sale).await, "pending");
    assert_eq!(world.session(sale).await["status"], "pending_payment");
    assert_eq!(world.received(sale).await, 0);
}

fn paid(world: &World, sale: &Sale) -> Value {
    let invoice = world.invoices(sale).remove(0);
    let mut event = world.sandbox.xendit.event(&invoice.id);
    event["status"] = json!("PAID");
    event["paid_amount"] = json!(PRICE);
    event
}

#[tokio::test]
async fn who_cannot_prove_itself_is_refused_and_nothing_is_kept() {
    let world = World::start().await;
    let sale = world.sell().await;
    let body = paid(&world, &sale).to_string();
    let token = world.sandbox.xendit.webhook_token();
    let longer = format!("{token}x");
    for wrong in [
        None,
        Some(""),
        Some("guessed"),
        Some(longer.as_str()),
        Some(&token[1..]),
    ] {
        post(&world, wrong, body.clone())
            .await
            .problem("unauthenticated", 401);
    }
    // Also of what is no event: a stranger learns nothing.
    post(&world, None, "").await.problem("unauthenticated", 401);
    unchanged(&world, &sale).await;
    let row = world
        .app
        .database
        .row("SELECT count(*) FROM payment_webhooks", &[])
        .await;
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn what_is_no_event_is_refused() {
    let world = World::start().await;
    let sale = world.sell().await;
    let token = world.sandbox.xendit.webhook_token();
    let id = |text: &str| json!({"id": text, "external_id": "x", "status": "PAID"}).to_string();
    for wrong in [
        String::new(),
        "PAID!".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        json!({"id": 7, "external_id": "x", "status": "PAID"}).to_string(),
        id(""),
        id("a\0b"),
        id(&"x".repeat(300)),
    ] {
        post(&world, Some(&token), wrong)
            .await
            .problem("not_an_event", 400);
    }
    post(&world, Some(&token), vec![0xff, 0xfe])
        .await
        .problem("not_an_event", 400);
    let mebibyte = format!("{{\"id\": \"{}\"}}", "x".repeat(1024 * 1024));
    post(&world, Some(&token), mebibyte)
        .await
        .problem("body_too_large", 413);
    unchanged(&world, &sale).await;
}

#[tokio::test]
async fn a_status_that_is_new_changes_nothing() {
    let world = World::start().await;
    let sale = world.sell().await;
    let mut event = paid(&world, &sale);
    event["status"] = json!("MOSTLY_PAID");
    let answer = world.sandbox.xendit.forge(Forged::json(&event)).await;
    assert!(matches!(answer, Outcome::Answered(200)), "{answer:?}");
    unchanged(&world, &sale).await;
}

#[tokio::test]
async fn an_amount_that_is_no_whole_rupiah_is_not_believed() {
    for amount in [
        json!(PRICE.to_string()),
        json!(25_000.5),
        json!(true),
        json!(null),
    ] {
        let world = World::start().await;
        let sale = world.sell().await;
        let mut event = paid(&world, &sale);
        (event["amount"], event["paid_amount"]) = (amount.clone(), amount);
        let answer = world.sandbox.xendit.forge(Forged::json(&event)).await;
        assert!(matches!(answer, Outcome::Answered(200)), "{answer:?}");
        // The invoice was asked, and it is not paid.
        unchanged(&world, &sale).await;
    }
}

#[tokio::test]
async fn an_amount_with_a_point_and_no_fraction_is_one() {
    let world = World::start().await;
    let sale = world.sell().await;
    let mut event = paid(&world, &sale);
    (event["amount"], event["paid_amount"]) = (json!(25_000.0), json!(25_000.0));
    world.sandbox.xendit.forge(Forged::json(&event)).await;
    world.becomes(&sale, "paid").await;
    assert_eq!(world.received(&sale).await, PRICE);
}

#[tokio::test]
async fn a_delivery_without_an_id_is_taken_and_known_again() {
    let world = World::start().await;
    let sale = world.sell().await;
    let event = paid(&world, &sale);
    for _ in 0..3 {
        world
            .sandbox
            .xendit
            .forge(Forged::json(&event).without_id())
            .await;
    }
    world.becomes(&sale, "paid").await;
    world.app.finish_jobs().await;
    assert_eq!(world.received(&sale).await, PRICE);
}

#[tokio::test]
async fn an_event_of_an_invoice_that_is_unknown_is_looked_for_for_an_hour_and_then_seen() {
    let world = World::start().await;
    let event = json!({"id": "stranger", "external_id": Uuid::from_u128(7), "status": "PAID",
        "amount": PRICE, "paid_amount": PRICE});
    let answer = world.sandbox.xendit.forge(Forged::json(&event)).await;
    assert!(matches!(answer, Outcome::Answered(200)), "{answer:?}");
    let outcome = "SELECT outcome FROM payment_webhooks";
    for _ in 0..11 {
        world.pass(Duration::from_secs(300)).await;
    }
    let row = world.app.database.row(outcome, &[]).await;
    assert_eq!(row.get::<_, Option<String>>(0), None);
    for _ in 0..3 {
        world.pass(Duration::from_secs(300)).await;
    }
    let row = world.app.database.row(outcome, &[]).await;
    assert_eq!(row.get::<_, Option<&str>>(0), Some("unknown"));
    let dead = "SELECT count(*) FROM jobs WHERE kind = 'read-webhook' AND state = 'dead'";
    assert_eq!(world.app.database.row(dead, &[]).await.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn an_event_that_comes_before_its_payment_is_seen_is_settled_once_it_is() {
    let world = World::start().await;
    let sale = world.sell().await;
    let event = paid(&world, &sale);
    let hidden = Uuid::from_u128(7);
    let hide = "UPDATE payments SET id = $2 WHERE id = $1";
    world
        .app
        .database
        .execute(hide, &[&sale.payment_id, &hidden])
        .await;
    world.sandbox.xendit.forge(Forged::json(&event)).await;
    world.app.finish_jobs().await;
    world
        .app
        .database
        .execute(hide, &[&hidden, &sale.payment_id])
        .await;
    world.app.clock.advance(Duration::from_secs(2));
    world.becomes(&sale, "paid").await;
}
