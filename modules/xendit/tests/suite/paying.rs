//! A sale that goes as it should, and what its customer sees of it.

use halobestie_testkit::eventually;
use serde_json::json;

use crate::world::{PAYABLE, PRICE, World, text};

#[tokio::test]
async fn an_accept_makes_one_invoice_and_its_payment_starts_the_session() {
    let world = World::start().await;
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    assert_eq!((invoice.amount, world.invoices(&sale).len()), (PRICE, 1));
    assert_eq!(invoice.request["invoice_duration"], PAYABLE.as_secs());
    let payment = world.payment(&sale).await;
    assert_eq!(payment["status"], "pending");
    assert_eq!(payment["invoice_url"], json!(invoice.invoice_url));
    assert_eq!(
        payment["expires_at"],
        json!(world.app.clock.now() + PAYABLE)
    );
    assert_eq!(world.session(&sale).await["status"], "pending_payment");

    world.sandbox.xendit.pay(&invoice.id);
    world.becomes(&sale, "paid").await;
    let session = world.session(&sale).await;
    assert_eq!(session["status"], "active");
    assert_eq!(session["started_at"], json!(world.app.clock.now()));
    assert_eq!(session["payment"]["status"], "paid");
    assert_eq!(world.received(&sale).await, PRICE);
}

#[tokio::test]
async fn the_customer_sees_its_payments_and_nobody_elses() {
    let world = World::start().await;
    let (sale, other) = (world.sell().await, world.sell().await);
    let list = |token: String| {
        let call = world.app.get("/api/customer/payments?limit=1");
        async move { call.bearer(&token).send().await.expect(200).json() }
    };
    let mine = list(sale.customer.access_token.clone()).await;
    assert_eq!(mine["items"].as_array().unwrap().len(), 1);
    assert_eq!(text(&mine["items"][0], "id"), sale.payment_id.to_string());
    assert_eq!(mine["next_cursor"], json!(null));
    let path = format!("/api/customer/payments/{}", sale.payment_id);
    for stranger in [&other.customer, &sale.mitra] {
        let answer = world
            .app
            .get(&path)
            .bearer(&stranger.access_token)
            .send()
            .await;
        assert!(
            matches!(answer.status.as_u16(), 403 | 404),
            "{}",
            answer.status
        );
    }
    world
        .app
        .get(&path)
        .send()
        .await
        .problem("unauthenticated", 401);
}

#[tokio::test]
async fn the_customers_sockets_are_shown_where_the_payment_is() {
    let world = World::start().await;
    let sale = world.sell().await;
    let mut socket = world.app.ws(Some(&sale.customer.access_token)).await;
    assert_eq!(socket.next().await["type"], "hello");
    world.pay(&sale).await;
    let shown = socket.expect("payment.updated").await;
    assert_eq!(shown["payment"]["id"], json!(sale.payment_id));
    assert_eq!(shown["payment"]["status"], "paid");
}

#[tokio::test]
async fn an_extension_is_paid_the_same_way_and_applied_then() {
    let world = World::start().await;
    let sale = world.sell().await;
    world.pay(&sale).await;
    let path = format!("/api/chat/sessions/{}/extensions", sale.session_id);
    let call = world.app.post(&path).bearer(&sale.customer.access_token);
    let extension = call.json(&json!({"package_id": "15m"})).send().await;
    let extension = extension.expect(201).json();
    assert_eq!(extension["status"], "pending_payment");
    let payment_id = text(&extension["payment"], "id");
    let found = || world.sandbox.xendit.invoices_of(&payment_id);
    eventually("its invoice is made", || async { !found().is_empty() }).await;
    let before = world.session(&sale).await["remaining_seconds"].as_i64();
    world.sandbox.xendit.pay(&found()[0].id);
    eventually("the time is added", || async {
        world.session(&sale).await["remaining_seconds"].as_i64() == before.map(|it| it + 900)
    })
    .await;
}

#[tokio::test]
async fn a_call_says_who_we_are_and_nothing_of_the_customer() {
    let world = World::start().await;
    let sale = world.sell().await;
    let calls = world.sandbox.xendit.calls();
    let create = calls
        .iter()
        .find(|it| it.operation == "invoices.create")
        .unwrap();
    assert!(
        create
            .header("authorization")
            .unwrap()
            .starts_with("Basic ")
    );
    assert!(create.header("x-request-id").is_some());
    assert_eq!(create.json()["external_id"], json!(sale.payment_id));
    assert_eq!(create.json()["currency"], "IDR");
    assert!(create.json().get("customer").is_none() && create.json().get("payer_email").is_none());
}
