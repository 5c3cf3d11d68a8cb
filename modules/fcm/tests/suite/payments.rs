//! What customers are told of their payments.

use halobestie_auth::Auth;
use halobestie_availability::Mitras;
use halobestie_chat::Chat;
use halobestie_core::Entry;
use halobestie_fcm::Fcm;
use halobestie_testkit::{TestApp, eventually};
use halobestie_xendit::Xendit;

use crate::world::{Firebase, World, accept, request};

static ENTRIES: &[Entry] = &[
    Entry::of::<Auth>(),
    Entry::of::<Mitras>(),
    Entry::of::<Chat>(),
    Entry::of::<Fcm>(),
    Entry::of::<Xendit>(),
];

/// A server that sells as well.
async fn shop() -> World {
    let firebase = Firebase::start().await;
    let mut plan = firebase.point(TestApp::with(ENTRIES));
    for (name, value) in firebase.sandbox.xendit.variables() {
        plan = plan.env(name, &value);
    }
    let app = plan.start().await;
    let webhooks = format!("http://{}/api/webhooks/xendit", app.public_address());
    firebase.sandbox.xendit.set_webhook_url(&webhooks);
    World { app, firebase }
}

/// The statuses of which a device was told.
fn told(world: &World, token: &str) -> Vec<String> {
    let pushes = world.google().pushes_to(token).into_iter();
    let of_payments = pushes.filter(|it| it.data("type") == Some("payment.updated"));
    of_payments
        .map(|it| it.data("status").unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_payment_that_came_is_told_to_the_customer_and_the_beginning_to_the_mitra() {
    let world = shop().await;
    let (mitra, mitra_token) = world.mitra("mitra").await;
    let (customer, token) = world.customer("customer").await;
    let asked = request(&world.app, &customer).await;
    let session = accept(&world.app, &mitra, &asked).await;
    assert_eq!(session["status"], "pending_payment");
    let xendit = &world.firebase.sandbox.xendit;
    eventually("there is an invoice", || async {
        !xendit.invoices().is_empty()
    })
    .await;
    let invoice = xendit.invoices().remove(0);
    xendit.pay(&invoice.id);
    eventually("the customer is told", || async {
        told(&world, &token) == ["paid"]
    })
    .await;
    world.app.finish_jobs().await;
    let begun = world.google().pushes_to(&mitra_token).pop().unwrap();
    assert_eq!(begun.data("type"), Some("session.updated"));
    assert_eq!(begun.data("status"), Some("active"));
}

#[tokio::test]
async fn a_payment_that_did_not_come_is_told() {
    let world = shop().await;
    let (mitra, mitra_token) = world.mitra("mitra").await;
    let (customer, token) = world.customer("customer").await;
    let asked = request(&world.app, &customer).await;
    accept(&world.app, &mitra, &asked).await;
    let xendit = &world.firebase.sandbox.xendit;
    eventually("there is an invoice", || async {
        !xendit.invoices().is_empty()
    })
    .await;
    let invoice = xendit.invoices().remove(0);
    xendit.expire(&invoice.id);
    eventually("the customer is told", || async {
        told(&world, &token) == ["expired"]
    })
    .await;
    world.app.finish_jobs().await;
    let over = world.google().pushes_to(&mitra_token).pop().unwrap();
    assert_eq!(over.data("end_reason"), Some("payment_expired"));
}
