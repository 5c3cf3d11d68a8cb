//! The books: what is booked, and that a check finds whatever does not fit.

use std::time::Duration;

use halobestie_core::ports::BooksReport;
use serde_json::json;

use crate::world::{PRICE, World};

pub(crate) async fn check(world: &World) -> BooksReport {
    let books = world.app.context().ports.books.get().unwrap();
    books.check().await.unwrap()
}

/// Everything in the books is explained.
pub(crate) async fn explained(world: &World) {
    let report = check(world).await;
    assert_eq!(report.differences, [""; 0]);
    assert_eq!(report.differences_in_all, 0);
    let sum: i64 = report.balances.iter().map(|it| it.amount).sum();
    assert_eq!(sum, 0);
}

/// What stands on an account; debits are positive.
pub(crate) async fn standing(world: &World, account: &str) -> i64 {
    let report = check(world).await;
    let mut balances = report.balances.iter();
    let found = balances.find(|it| it.account == account);
    found.map_or(0, |it| it.amount)
}

/// Ends the session as its mitra, with this much of it gone.
async fn end_after(world: &World, gone: Duration) -> i64 {
    let sale = world.sell().await;
    world.pay(&sale).await;
    world.session_becomes(&sale, "active").await;
    world.app.clock.advance(gone);
    let path = format!("/api/chat/sessions/{}/end", sale.session_id);
    let call = world.app.post(&path).bearer(&sale.mitra.access_token);
    call.json(&json!({})).send().await.expect(200);
    -standing(world, "credits").await
}

#[tokio::test]
async fn a_sale_is_booked_when_it_is_paid() {
    let world = World::start().await;
    let sale = world.sell().await;
    assert_eq!(check(&world).await.movements, 0);
    world.pay(&sale).await;
    assert_eq!(standing(&world, "xendit").await, PRICE);
    assert_eq!(standing(&world, "sales").await, -PRICE);
    let report = check(&world).await;
    assert_eq!(
        (report.movements, report.payments, report.sessions),
        (1, 1, 1)
    );
    explained(&world).await;
}

#[tokio::test]
async fn time_that_the_mitra_did_not_deliver_is_credited_by_its_share() {
    let world = World::start().await;
    let credited = end_after(&world, Duration::from_secs(300)).await;
    assert_eq!(credited, (PRICE * 600 + 899) / 900);
    explained(&world).await;
}

#[tokio::test]
async fn a_wrong_amount_is_held() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world
        .sandbox
        .xendit
        .pay_wrong_amount(&invoice.id, PRICE + 1);
    world.becomes(&sale, "needs_review").await;
    assert_eq!(standing(&world, "held").await, -PRICE - 1);
    assert_eq!(standing(&world, "sales").await, 0);
    explained(&world).await;
}

#[tokio::test]
async fn a_fee_is_booked_once_where_the_event_tells_it() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.hold_webhooks();
    world.sandbox.xendit.pay(&invoice.id);
    let mut event = world.sandbox.xendit.event(&invoice.id);
    event["adjusted_received_amount"] = json!(PRICE - 500);
    event["fees_paid_amount"] = json!(500);
    for status in ["PAID", "SETTLED"] {
        event["status"] = json!(status);
        let forged = halobestie_sandbox::xendit::Forged::json(&event);
        world.sandbox.xendit.forge(forged).await;
        world.app.finish_jobs().await;
    }
    assert_eq!(world.status(&sale).await, "paid");
    assert_eq!(standing(&world, "fees").await, 500);
    assert_eq!(standing(&world, "xendit").await, PRICE - 500);
    explained(&world).await;
}

#[tokio::test]
async fn what_is_booked_cannot_be_changed_and_must_balance() {
    let world = World::start().await;
    let sale = world.sell().await;
    world.pay(&sale).await;
    let db = world.app.database.db();
    for sql in [
        "UPDATE ledger_entries SET amount = amount + 1",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_movements SET kind = 'credit'",
        "TRUNCATE ledger_movements CASCADE",
    ] {
        let refused = halobestie_core::pg::Query::execute(db, sql, &[]).await;
        assert!(refused.is_err(), "{sql}");
    }
    let lopsided = "INSERT INTO ledger_entries SELECT id, 'bank', 1 FROM ledger_movements";
    assert!(
        halobestie_core::pg::Query::execute(db, lopsided, &[])
            .await
            .is_err()
    );
    explained(&world).await;
}

/// A world with a paid sale, in whose database something is then changed behind the server's back.
async fn tampered(sql: &'static [&'static str]) -> Vec<String> {
    let world = World::start().await;
    let sale = world.sell().await;
    world.pay(&sale).await;
    explained(&world).await;
    for table in ["ledger_entries", "ledger_movements"] {
        let off: &'static str = match table {
            "ledger_entries" => "ALTER TABLE ledger_entries DISABLE TRIGGER USER",
            _ => "ALTER TABLE ledger_movements DISABLE TRIGGER USER",
        };
        world.app.database.execute(off, &[]).await;
    }
    for sql in sql {
        world.app.database.execute(sql, &[]).await;
    }
    let report = check(&world).await;
    assert_eq!(report.differences_in_all, report.differences.len() as u64);
    report.differences
}

#[tokio::test]
async fn a_changed_entry_is_found() {
    let found = tampered(&["UPDATE ledger_entries SET amount = 24000 WHERE account = 'xendit'"]);
    let found = found.await.join("\n");
    assert!(
        found.contains("does not balance: its entries sum to Rp -1.000"),
        "{found}"
    );
    assert!(
        found.contains("is of Rp 25.000, and Rp 24.000 are booked"),
        "{found}"
    );
}

#[tokio::test]
async fn a_movement_that_is_gone_is_found() {
    let found = tampered(&["DELETE FROM ledger_entries", "DELETE FROM ledger_movements"]);
    let found = found.await.join("\n");
    assert!(
        found.contains("receipt") && found.contains("is not booked"),
        "{found}"
    );
    assert!(
        found.contains("was delivered, and nobody has paid for it"),
        "{found}"
    );
}

#[tokio::test]
async fn both_sides_changed_alike_are_found() {
    let found = tampered(&["UPDATE ledger_entries SET amount = amount * 2"])
        .await
        .join("\n");
    assert!(
        found.contains("is of Rp 25.000, and Rp 50.000 are booked"),
        "{found}"
    );
    assert!(
        found.contains("are booked as sold, and its price is Rp 25.000"),
        "{found}"
    );
}

#[tokio::test]
async fn a_payment_that_says_otherwise_is_found() {
    let found = tampered(&["UPDATE payments SET paid_amount = 30000"])
        .await
        .join("\n");
    assert!(
        found.contains("says that Rp 30.000 came, and its receipts Rp 25.000"),
        "{found}"
    );
    let found = tampered(&["UPDATE payments SET status = 'refunded'"])
        .await
        .join("\n");
    assert!(
        found.contains("its status does not fit its money"),
        "{found}"
    );
}

#[tokio::test]
async fn a_sale_that_was_never_delivered_is_found() {
    let found = tampered(&["DELETE FROM chat_time"]).await.join("\n");
    assert!(
        found.contains("is booked as sold, and was never delivered"),
        "{found}"
    );
}

#[tokio::test]
async fn a_refund_that_nobody_booked_is_found() {
    let found = tampered(&["INSERT INTO refunds (id, payment_id, invoice_id, amount, way, reason, status,
            created_at, updated_at, ended_at)
        SELECT id, id, 'i', 5000, 'by_hand', 'requested', 'succeeded', paid_at, paid_at, paid_at FROM payments"]);
    let found = found.await.join("\n");
    assert!(
        found.contains("refund") && found.contains("of Rp 5.000 is not booked"),
        "{found}"
    );
}

#[tokio::test]
async fn a_session_that_was_credited_for_nothing_is_found() {
    let found = tampered(&[
        "INSERT INTO ledger_movements SELECT gen_random_uuid(), 'credit', session_id, NULL, session_id,
            customer_id, booked_at FROM ledger_movements",
        "INSERT INTO ledger_entries SELECT id, account, amount FROM ledger_movements,
            (VALUES ('sales', 700), ('credits', -700)) AS entry (account, amount) WHERE kind = 'credit'",
    ]);
    let found = found.await.join("\n");
    assert!(
        found.contains("Rp 700 were credited, and all of its time was delivered"),
        "{found}"
    );
}
