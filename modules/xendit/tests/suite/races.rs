//! Two replicas, and everything at once.

use halobestie_testkit::eventually;

use crate::world::{PRICE, Sale, World, webhook_url};

#[tokio::test]
async fn a_storm_of_duplicates_on_two_replicas_settles_each_payment_once() {
    const SALES: usize = 8;
    const COPIES: usize = 6;
    let world = World::start().await;
    let other = world.app.replica().await;
    let urls = [webhook_url(&world.app), webhook_url(&other)];
    world
        .sandbox
        .xendit
        .set_webhook_urls(&[urls[0].as_str(), urls[1].as_str()]);
    let mut sales: Vec<Sale> = Vec::new();
    for _ in 0..SALES {
        sales.push(world.sell().await);
    }
    world.sandbox.xendit.hold_webhooks();
    for sale in &sales {
        world.sandbox.xendit.pay(&world.invoices(sale)[0].id);
    }
    let webhooks = world.sandbox.xendit.webhooks();
    let resend = |copy: usize| {
        let at = (copy * 5) % webhooks.len();
        world.sandbox.xendit.resend(&webhooks[at].id)
    };
    let copies = (0..webhooks.len() * COPIES).map(resend);
    futures_util::future::join_all(copies).await;
    world.sandbox.xendit.release_webhooks().await;
    for sale in &sales {
        world.becomes(sale, "paid").await;
        assert_eq!(
            (world.received(sale).await, world.returned(sale).await),
            (PRICE, 0)
        );
        assert_eq!(world.session(sale).await["status"], "active");
    }
    let started = "SELECT count(*) FROM chat_events WHERE event = 'session_paid'";
    let row = world.app.database.row(started, &[]).await;
    assert_eq!(usize::try_from(row.get::<_, i64>(0)).unwrap(), SALES);
}

#[tokio::test]
async fn paid_and_expired_and_ended_at_once_have_one_end() {
    let world = World::start().await;
    let other = world.app.replica().await;
    let urls = [webhook_url(&world.app), webhook_url(&other)];
    world
        .sandbox
        .xendit
        .set_webhook_urls(&[urls[0].as_str(), urls[1].as_str()]);
    for _ in 0..5 {
        let sale = world.sell().await;
        let invoice = world.invoice(&sale).await;
        world.sandbox.xendit.pay_late(&invoice.id);
        let path = format!("/api/chat/sessions/{}/end", sale.session_id);
        let end = world.app.post(&path).bearer(&sale.mitra.access_token);
        let reconciled = other.run_sweep("payment-reconcile");
        tokio::join!(async { end.send().await.expect(200) }, reconciled);
        eventually("the money is here", || async {
            world.received(&sale).await == PRICE
        })
        .await;
        world.app.finish_jobs().await;
        let back = world.returned(&sale).await;
        match world.status(&sale).await.as_str() {
            "paid" => assert_eq!(back, 0),
            _ => assert_eq!(back, PRICE),
        }
        assert_eq!(world.session(&sale).await["status"], "ended");
    }
}
