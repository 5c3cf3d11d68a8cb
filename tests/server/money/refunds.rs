//! A process is killed at each step of a refund: of money that came when its session was over.

use std::time::Duration;

use halobestie_sandbox::Fault;
use halobestie_testkit::eventually;

use super::shop::{Sale, Shop};
use crate::process::Server;

/// Longer than any of these tests takes.
const FOR_EVER: Duration = Duration::from_secs(120);
/// Time to take a lock while an answer of Xendit's is on its way.
const A_WHILE: u64 = 1_500;

const NO_REFUND_IS_WRITTEN: &str = "LOCK TABLE refunds IN SHARE MODE";

/// A sale that its customer has given up, and can still pay.
async fn given_up(shop: &Shop) -> (Sale, Server) {
    let sale = shop.sell().await;
    let server = shop.serve().await;
    shop.invoice(&sale).await;
    shop.end(&sale).await;
    eventually("its invoice is expired", || async {
        shop.only_invoice(&sale).status == "EXPIRED"
    })
    .await;
    (sale, server)
}

/// Waits until Xendit has the refund and we know it; its id.
async fn on_its_way(shop: &Shop) -> String {
    const SQL: &str = "SELECT refund_id FROM refunds WHERE status = 'pending'";
    eventually("the refund is on its way", || async {
        !shop.database.rows(SQL, &[]).await.is_empty()
    })
    .await;
    shop.database.row(SQL, &[]).await.get(0)
}

/// Another process does the rest: Xendit has one refund, and tells of its end.
async fn goes_on(shop: &Shop, sale: &Sale) {
    let _server = shop.restart().await;
    let refund = on_its_way(shop).await;
    shop.sandbox.xendit.succeed_refund(&refund);
    shop.given_back_once(sale).await;
}

#[tokio::test]
async fn killed_when_money_came_too_late_and_its_refund_is_not_written() {
    let shop = Shop::open().await;
    let (sale, victim) = given_up(&shop).await;
    let stall = shop.stall(NO_REFUND_IS_WRITTEN).await;
    shop.pay(&sale).await;
    stall.reached("INSERT INTO refunds").await;
    shop.kill(victim).await;
    stall.let_go().await;
    goes_on(&shop, &sale).await;
}

#[tokio::test]
async fn killed_before_xendit_has_done_anything() {
    let shop = Shop::open().await;
    let (sale, victim) = given_up(&shop).await;
    let knobs = &shop.sandbox.xendit.knobs;
    knobs.strike(Some("refunds.create"), 1, Fault::Cut);
    knobs.delay(FOR_EVER);
    shop.pay(&sale).await;
    shop.called("refunds.create").await;
    shop.kill(victim).await;
    assert!(shop.sandbox.xendit.refunds().is_empty());
    goes_on(&shop, &sale).await;
}

#[tokio::test]
async fn killed_when_xendit_has_it_and_its_answer_is_on_its_way() {
    let shop = Shop::open().await;
    let (sale, victim) = given_up(&shop).await;
    shop.sandbox.xendit.knobs.delay(FOR_EVER);
    shop.pay(&sale).await;
    eventually("xendit has the refund", || async {
        !shop.sandbox.xendit.refunds().is_empty()
    })
    .await;
    shop.kill(victim).await;
    goes_on(&shop, &sale).await;
}

#[tokio::test]
async fn killed_when_the_answer_is_there_and_is_not_written() {
    let shop = Shop::open().await;
    let (sale, victim) = given_up(&shop).await;
    let slow = Fault::Slow { ms: A_WHILE };
    let knobs = &shop.sandbox.xendit.knobs;
    knobs.strike(Some("refunds.create"), 1, slow);
    shop.pay(&sale).await;
    shop.called("refunds.create").await;
    let stall = shop.stall(NO_REFUND_IS_WRITTEN).await;
    stall.reached("UPDATE refunds").await;
    shop.kill(victim).await;
    stall.let_go().await;
    goes_on(&shop, &sale).await;
}

/// Kills a process that hears of a refund's end, at the statement that runs into a lock.
async fn killed_at_the_end(lock: &'static str, statement: &str) {
    let shop = Shop::open().await;
    let (sale, victim) = given_up(&shop).await;
    shop.pay(&sale).await;
    let refund = on_its_way(&shop).await;
    let stall = shop.stall(lock).await;
    shop.sandbox.xendit.succeed_refund(&refund);
    stall.reached(statement).await;
    shop.kill(victim).await;
    stall.let_go().await;
    shop.becomes(&sale, "refund_pending").await;
    let _server = shop.restart().await;
    shop.given_back_once(&sale).await;
}

#[tokio::test]
async fn killed_when_its_end_is_told_and_not_written() {
    killed_at_the_end(NO_REFUND_IS_WRITTEN, "UPDATE refunds").await;
}

#[tokio::test]
async fn killed_when_it_has_ended_and_is_not_booked() {
    let lock = "LOCK TABLE ledger_movements IN SHARE MODE";
    killed_at_the_end(lock, "WITH movement").await;
}

#[tokio::test]
async fn killed_when_it_is_booked_and_its_payment_is_not_refunded() {
    killed_at_the_end("LOCK TABLE payments IN SHARE MODE", "UPDATE payments").await;
}
