//! What the doctor says of Xendit, its webhooks, and payments that wait for a person.

use std::collections::BTreeMap;

use halobestie_core::app::AppOptions;
use halobestie_core::config::{Config, Sources};
use halobestie_core::doctor::{Finding, Grade, Treatment, visit};

use crate::world::{ENTRIES, PRICE, World};

/// What it finds from a process of its own, over the world's database and clock.
async fn finding(world: &World, name: &str, change: &[(&str, &str)]) -> Finding {
    let fixed = [
        ("APP_ENV", "test"),
        (
            "AUTH_JWT_SECRET",
            "a secret that only the tests of this project know",
        ),
        ("DATABASE_URL", world.app.database.url()),
        ("INTERNAL_ADDR", "127.0.0.1:0"),
        ("PUBLIC_ADDR", "127.0.0.1:0"),
        ("PUBLIC_BASE_URL", "https://halobestie.test"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut env: BTreeMap<String, String> = fixed.map(owned).into();
    for (name, value) in world.sandbox.xendit.variables() {
        env.insert(name.to_owned(), value);
    }
    env.extend(change.iter().copied().map(owned));
    let sources = Sources {
        env,
        ..Sources::default()
    };
    let compiled = ["auth", "availability", "chat", "xendit"];
    let config = Config::load(&sources, ENTRIES, &compiled).unwrap();
    let options = AppOptions {
        clock: world.app.clock.clone(),
        ..AppOptions::new(ENTRIES)
    };
    let report = visit(&config, &options, Treatment::Look).await.unwrap();
    let mut examined = report.examinations.into_iter();
    examined.find(|it| it.name == name).unwrap().finding
}

#[tokio::test]
async fn the_key_is_tried_by_a_read_and_the_webhooks_url_is_told() {
    let world = World::start().await;
    let found = finding(&world, "xendit", &[]).await;
    assert_eq!(found.grade, Grade::Ok, "{found:?}");
    let url = "https://halobestie.test/api/webhooks/xendit";
    assert!(found.text.contains(url), "{found:?}");
    assert!(world.sandbox.xendit.invoices().is_empty());

    let wrong = [("XENDIT_SECRET_KEY", "xnd_development_wrong")];
    let found = finding(&world, "xendit", &wrong).await;
    assert_eq!(found.grade, Grade::Problem, "{found:?}");
    assert!(
        !format!("{found:?}").contains("development_wrong"),
        "{found:?}"
    );
}

#[tokio::test]
async fn payments_without_any_webhook_are_a_warning() {
    let world = World::start().await;
    assert_eq!(
        finding(&world, "xendit-webhooks", &[]).await.grade,
        Grade::Ok
    );
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world.sandbox.xendit.hold_webhooks();
    world.sandbox.xendit.pay(&invoice.id);
    world.app.clock.advance(std::time::Duration::from_secs(90));
    world.reconcile().await;
    world.becomes(&sale, "paid").await;
    let found = finding(&world, "xendit-webhooks", &[]).await;
    assert_eq!(found.grade, Grade::Warning);
    let expected = "no webhook in the last hour though an invoice was paid";
    assert_eq!(found.text, expected);

    world.sandbox.xendit.release_webhooks().await;
    assert_eq!(
        finding(&world, "xendit-webhooks", &[]).await.grade,
        Grade::Ok
    );
}

#[tokio::test]
async fn a_payment_that_waits_for_a_person_is_named() {
    let world = World::start().await;
    assert_eq!(
        finding(&world, "payment-reviews", &[]).await.grade,
        Grade::Ok
    );
    let sale = world.sell().await;
    let invoice = world.invoice(&sale).await;
    world
        .sandbox
        .xendit
        .pay_wrong_amount(&invoice.id, PRICE - 1);
    world.becomes(&sale, "needs_review").await;
    let found = finding(&world, "payment-reviews", &[]).await;
    assert_eq!(found.grade, Grade::Warning);
    assert!(found.details.shown[0].contains(&sale.payment_id.to_string()));
}
