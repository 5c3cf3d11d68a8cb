//! A process is killed at each step between an offer that is accepted and a session that is paid.

use std::time::Duration;

use halobestie_sandbox::Fault;
use halobestie_testkit::eventually;
use tokio::net::TcpListener;

use super::relay::lose_answers;
use super::shop::{Sale, Shop};
use super::stall::Stall;
use crate::process::Server;

/// Longer than any of these tests takes.
const FOR_EVER: Duration = Duration::from_secs(120);
/// Time to take a lock while an answer of Xendit's is on its way.
const A_WHILE: u64 = 1_500;

const NO_PAYMENT_IS_WRITTEN: &str = "LOCK TABLE payments IN SHARE MODE";
const NO_WEBHOOK_IS_WRITTEN: &str = "LOCK TABLE payment_webhooks IN SHARE MODE";

/// Another process does the rest: the customer can pay, once, and has the session.
async fn goes_on(shop: &Shop, sale: &Sale) {
    let _server = shop.restart().await;
    shop.invoice(sale).await;
    shop.pay(sale).await;
    shop.sold_once(sale).await;
}

#[tokio::test]
async fn killed_while_an_offer_is_accepted() {
    let shop = Shop::open().await;
    let victim = shop.serve().await;
    let request = shop.ask().await;
    let stall = shop.stall(NO_PAYMENT_IS_WRITTEN).await;
    let accepting = shop.accept_at(victim.public, &request);
    let killing = async {
        stall.reached("INSERT INTO payments").await;
        shop.kill(victim).await;
    };
    let (answer, ()) = tokio::join!(accepting, killing);
    assert!(answer.is_err(), "{answer:?}");
    stall.let_go().await;
    // The offer is as it was.
    let server = shop.restart().await;
    let accepted = shop.accept_at(server.public, &request).await;
    let sale = shop.sale(&accepted.unwrap()).await;
    shop.invoice(&sale).await;
    shop.pay(&sale).await;
    shop.sold_once(&sale).await;
}

#[tokio::test]
async fn killed_before_it_is_written_that_xendit_is_asked() {
    let shop = Shop::open().await;
    let sale = shop.sell().await;
    let stall = shop.stall(NO_PAYMENT_IS_WRITTEN).await;
    let victim = shop.serve().await;
    stall.reached("UPDATE payments SET asks").await;
    shop.kill(victim).await;
    stall.let_go().await;
    assert!(shop.sandbox.xendit.calls().is_empty());
    goes_on(&shop, &sale).await;
}

#[tokio::test]
async fn killed_after_that_and_before_xendit_has_done_anything() {
    let shop = Shop::open().await;
    let sale = shop.sell().await;
    let knobs = &shop.sandbox.xendit.knobs;
    knobs.strike(Some("invoices.create"), 1, Fault::Cut);
    knobs.delay(FOR_EVER);
    let victim = shop.serve().await;
    shop.called("invoices.create").await;
    shop.kill(victim).await;
    assert!(shop.sandbox.xendit.invoices().is_empty());
    goes_on(&shop, &sale).await;
}

#[tokio::test]
async fn killed_when_the_invoice_is_made_and_its_answer_is_on_its_way() {
    let shop = Shop::open().await;
    let sale = shop.sell().await;
    shop.sandbox.xendit.knobs.delay(FOR_EVER);
    let victim = shop.serve().await;
    eventually("the invoice is made", || async {
        !shop.sandbox.xendit.invoices().is_empty()
    })
    .await;
    shop.kill(victim).await;
    goes_on(&shop, &sale).await;
}

#[tokio::test]
async fn killed_when_the_answer_is_there_and_is_not_written() {
    let shop = Shop::open().await;
    let sale = shop.sell().await;
    let slow = Fault::Slow { ms: A_WHILE };
    let knobs = &shop.sandbox.xendit.knobs;
    knobs.strike(Some("invoices.create"), 1, slow);
    let victim = shop.serve().await;
    shop.called("invoices.create").await;
    let stall = shop.stall(NO_PAYMENT_IS_WRITTEN).await;
    stall.reached("UPDATE payments SET status").await;
    shop.kill(victim).await;
    stall.let_go().await;
    goes_on(&shop, &sale).await;
}

#[tokio::test]
async fn killed_before_an_event_is_stored() {
    let shop = Shop::open().await;
    let sale = shop.sell().await;
    let victim = shop.serve().await;
    shop.invoice(&sale).await;
    let stall = shop.stall(NO_WEBHOOK_IS_WRITTEN).await;
    shop.pay(&sale).await;
    stall.reached("INSERT INTO payment_webhooks").await;
    shop.kill(victim).await;
    stall.let_go().await;
    let _server = shop.restart().await;
    shop.sold_once(&sale).await;
}

#[tokio::test]
async fn killed_when_an_event_is_stored_and_not_answered() {
    const STORED: &str = "SELECT EXISTS (SELECT FROM payment_webhooks)";
    let shop = Shop::open().await;
    let sale = shop.sell().await;
    let server = shop.serve().await;
    shop.invoice(&sale).await;
    assert_eq!(server.terminate().await, Some(0));
    // Nobody reads what it stores.
    let victim = shop.serve_as("api").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    shop.send_webhooks_to(listener.local_addr().unwrap());
    shop.pay(&sale).await;
    tokio::select! {
        () = lose_answers(listener, victim.public) => {}
        () = eventually("the event is stored", || async {
            shop.database.row(STORED, &[]).await.get(0)
        }) => {}
    }
    shop.kill(victim).await;
    let _server = shop.restart().await;
    shop.sold_once(&sale).await;
    let webhook = shop.sandbox.xendit.webhooks().remove(0);
    assert!(webhook.attempts.len() > 1, "{webhook:?}");
}

/// A payment of which an event is told, which runs into a lock as soon as it is settled.
async fn settled(shop: &Shop) -> (Sale, Server, Stall) {
    let sale = shop.sell().await;
    let server = shop.serve().await;
    shop.invoice(&sale).await;
    let stall = shop.stall("SELECT id FROM chat_sessions FOR UPDATE").await;
    shop.pay(&sale).await;
    stall.reached("SELECT").await;
    (sale, server, stall)
}

/// Kills a process that settles an event, at the statement that runs into a lock.
async fn killed_while_settling(lock: &'static str, statement: &str) {
    let shop = Shop::open().await;
    let (sale, victim, first) = settled(&shop).await;
    let stall = shop.stall(lock).await;
    first.lift().await;
    stall.reached(statement).await;
    shop.kill(victim).await;
    stall.let_go().await;
    shop.becomes(&sale, "pending").await;
    let _server = shop.restart().await;
    shop.sold_once(&sale).await;
}

#[tokio::test]
async fn killed_before_the_session_begins() {
    let shop = Shop::open().await;
    let (sale, victim, stall) = settled(&shop).await;
    shop.kill(victim).await;
    stall.let_go().await;
    let _server = shop.restart().await;
    shop.sold_once(&sale).await;
}

#[tokio::test]
async fn killed_when_the_session_has_begun_and_its_payment_is_not_paid() {
    killed_while_settling(NO_PAYMENT_IS_WRITTEN, "UPDATE payments SET status").await;
}

#[tokio::test]
async fn killed_when_the_payment_is_paid_and_not_booked() {
    let lock = "LOCK TABLE ledger_movements IN SHARE MODE";
    killed_while_settling(lock, "WITH movement").await;
}

#[tokio::test]
async fn killed_when_all_is_booked_and_its_event_is_not_settled() {
    killed_while_settling(NO_WEBHOOK_IS_WRITTEN, "UPDATE payment_webhooks").await;
}
