//! The server dies between any two lines, or an answer is lost: never two payable invoices, never a
//! session that was not paid, never a payment without its session.

use std::time::Duration;

use halobestie_core::app::Role;
use halobestie_sandbox::Fault;
use halobestie_sandbox::xendit::Invoice;
use halobestie_testkit::eventually;

use crate::world::{LEASE, PAYABLE, PRICE, Sale, World, plan, sandbox, webhook_url};

async fn api_only() -> World {
    let (sandbox, clock) = sandbox().await;
    let app = plan(&sandbox, &clock).role(Role::Api).start().await;
    sandbox.xendit.set_webhook_url(&webhook_url(&app));
    World { app, sandbox }
}

fn payable(world: &World, sale: &Sale) -> usize {
    let invoices = world.invoices(sale);
    invoices.iter().filter(|it| it.is_pending()).count()
}

async fn paid_once(world: &World, sale: &Sale) {
    assert_eq!(payable(world, sale), 1);
    let is_payable = |it: &Invoice| it.is_pending();
    let invoice = world.invoices(sale).into_iter().find(is_payable).unwrap();
    world.sandbox.xendit.pay(&invoice.id);
    world.becomes(sale, "paid").await;
    assert_eq!(world.session(sale).await["status"], "active");
    world.balances(sale, PRICE, 0).await;
}

#[tokio::test]
async fn after_the_row_and_before_the_call() {
    let world = api_only().await;
    let sale = world.sell_unasked().await;
    assert_eq!(world.status(&sale).await, "creating");
    let world = world.crash_as(|plan| plan.role(Role::All)).await;
    world.invoice(&sale).await;
    paid_once(&world, &sale).await;
}

#[tokio::test]
async fn before_xendit_has_read_the_call() {
    let world = World::start().await;
    world.sandbox.xendit.knobs.cut_next(1);
    let sale = world.sell_unasked().await;
    world.app.settle().await;
    assert_eq!(world.invoices(&sale).len(), 0);
    let world = world.crash().await;
    world.pass(LEASE).await;
    world.invoice(&sale).await;
    paid_once(&world, &sale).await;
}

#[tokio::test]
async fn after_the_invoice_and_before_its_answer() {
    let world = World::start().await;
    world.sandbox.xendit.knobs.lose_next(1);
    let sale = world.sell_unasked().await;
    eventually("the invoice is made", || async {
        world.invoices(&sale).len() == 1
    })
    .await;
    world.app.finish_jobs().await;
    world.pass(Duration::from_secs(5)).await;
    world.invoice(&sale).await;
    assert_eq!(world.invoices(&sale).len(), 1);
    paid_once(&world, &sale).await;
}

#[tokio::test]
async fn while_the_answer_is_on_its_way() {
    let world = World::start().await;
    let slow = Fault::Slow { ms: 8_000 };
    world
        .sandbox
        .xendit
        .knobs
        .strike(Some("invoices.create"), 1, slow);
    let sale = world.sell_unasked().await;
    eventually("the invoice is made", || async {
        world.invoices(&sale).len() == 1
    })
    .await;
    let world = world.crash().await;
    assert_eq!(world.status(&sale).await, "creating");
    world.pass(LEASE).await;
    world.invoice(&sale).await;
    assert_eq!(world.invoices(&sale).len(), 1);
    paid_once(&world, &sale).await;
}

#[tokio::test]
async fn two_invoices_are_brought_back_to_one() {
    let world = World::start().await;
    world
        .sandbox
        .xendit
        .knobs
        .strike(Some("invoices.create"), 1, Fault::Lost);
    let sale = world.sell_unasked().await;
    eventually("the invoice is made", || async {
        world.invoices(&sale).len() == 1
    })
    .await;
    world.app.finish_jobs().await;
    // Another process was faster than the list: a second one is there.
    let request = world.invoices(&sale)[0].request.clone();
    world.create_past_us(&request).await;
    world.pass(Duration::from_secs(5)).await;
    world.invoice(&sale).await;
    assert_eq!(world.invoices(&sale).len(), 2);
    paid_once(&world, &sale).await;
}

#[tokio::test]
async fn after_the_payment_and_before_its_event() {
    let world = World::start().await;
    let sale = world.sell().await;
    world.sandbox.xendit.hold_webhooks();
    world.sandbox.xendit.pay(&world.invoices(&sale)[0].id);
    let world = world.crash().await;
    world.sandbox.xendit.lose_held_webhooks();
    world.app.clock.advance(LEASE);
    world.reconcile().await;
    world.becomes(&sale, "paid").await;
    assert_eq!(world.session(&sale).await["status"], "active");
    assert_eq!(world.received(&sale).await, PRICE);
}

#[tokio::test]
async fn after_the_event_is_stored_and_before_it_is_read() {
    let world = World::start().await;
    let sale = world.sell().await;
    let world = world.crash_as(|plan| plan.role(Role::Api)).await;
    world.sandbox.xendit.pay(&world.invoices(&sale)[0].id);
    eventually("the event is stored", || async {
        let row = world
            .app
            .database
            .row("SELECT count(*) FROM payment_webhooks", &[])
            .await;
        row.get::<_, i64>(0) == 1
    })
    .await;
    assert_eq!(world.status(&sale).await, "pending");
    let world = world.crash_as(|plan| plan.role(Role::All)).await;
    world.becomes(&sale, "paid").await;
    assert_eq!(world.session(&sale).await["status"], "active");
}

#[tokio::test]
async fn an_invoice_that_was_made_for_nobody_any_more_is_expired() {
    let world = World::start().await;
    let slow = Fault::Slow { ms: 2_000 };
    world
        .sandbox
        .xendit
        .knobs
        .strike(Some("invoices.create"), 1, slow);
    let sale = world.sell_unasked().await;
    eventually("the invoice is made", || async {
        world.invoices(&sale).len() == 1
    })
    .await;
    let path = format!("/api/chat/sessions/{}/end", sale.session_id);
    let end = world.app.post(&path).bearer(&sale.customer.access_token);
    end.send().await.expect(200);
    let world = world.crash().await;
    world.pass(LEASE).await;
    world.reconcile().await;
    eventually("it is expired there", || async {
        world.invoices(&sale)[0].status == "EXPIRED"
    })
    .await;
    assert_eq!(world.status(&sale).await, "expired");
}

#[tokio::test]
async fn a_server_that_sleeps_through_the_whole_time() {
    let world = World::start().await;
    let sale = world.sell().await;
    let unpaid = world.sell().await;
    world.sandbox.xendit.hold_webhooks();
    world.sandbox.xendit.pay(&world.invoices(&sale)[0].id);
    let plan = world.app.another();
    let clock = world.app.clock.clone();
    let World { app, sandbox } = world;
    app.crash().await;
    clock.advance(PAYABLE * 2);
    sandbox.xendit.lose_held_webhooks();
    let app = plan.start().await;
    let world = World { app, sandbox };
    world.app.finish_jobs().await;
    world.reconcile().await;
    // Its session was over before anybody could know of the money.
    assert_eq!(world.session(&sale).await["end_reason"], "payment_expired");
    world.balances(&sale, PRICE, PRICE).await;
    world.becomes(&unpaid, "expired").await;
    eventually("it is expired there", || async {
        payable(&world, &unpaid) == 0
    })
    .await;
}
