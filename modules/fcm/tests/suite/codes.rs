//! What follows of each of FCM's error codes.

use std::time::Duration;

use halobestie_core::jobs::DeadJob;
use halobestie_sandbox::Fault;

use crate::world::{World, over, put, tokens_kept};

/// Sends one push to a device that fails so; the world after the first call.
async fn after(code: &str) -> (World, String) {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    world.google().device_fails(&token, code);
    world.notify(&[person.user_id], &over()).await;
    world.app.finish_jobs().await;
    (world, token)
}

async fn dead(world: &World) -> Vec<DeadJob> {
    let jobs = &world.app.context().jobs;
    let dead = jobs.dead(world.app.database.db(), None, 10).await;
    dead.unwrap()
}

async fn health(world: &World) -> String {
    let page = world.app.get("/readyz").send().await.expect(200).json();
    page["checks"]["fcm"]["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn unregistered_deletes_the_token() {
    let (world, token) = after("UNREGISTERED").await;
    assert_eq!(
        (tokens_kept(&world.app).await, world.waiting().await),
        (0, 0)
    );
    assert_eq!(
        world
            .metric("halobestie_fcm_failed_total{code=\"UNREGISTERED\"}")
            .await,
        1
    );
    assert_eq!(
        world
            .metric("halobestie_fcm_tokens_deleted_total{reason=\"dead\"}")
            .await,
        1
    );
    assert!(dead(&world).await.is_empty());
    world.pushes(&token, 0).await;
}

#[tokio::test]
async fn words_about_the_token_delete_the_token() {
    let (world, _) = after("INVALID_TOKEN").await;
    assert_eq!(
        (tokens_kept(&world.app).await, world.waiting().await),
        (0, 0)
    );
}

#[tokio::test]
async fn words_about_the_message_keep_the_token_and_make_a_dead_letter() {
    let (world, _) = after("INVALID_ARGUMENT").await;
    assert_eq!(
        (tokens_kept(&world.app).await, world.waiting().await),
        (1, 0)
    );
    let dead = dead(&world).await;
    assert_eq!(dead.len(), 1);
    assert!(dead[0].error.as_ref().unwrap().contains("INVALID_ARGUMENT"));
    assert_eq!(health(&world).await, "degraded");
}

#[tokio::test]
async fn another_senders_token_is_kept_and_raises_an_error() {
    let (world, _) = after("SENDER_ID_MISMATCH").await;
    assert_eq!(
        (tokens_kept(&world.app).await, world.waiting().await),
        (1, 0)
    );
    assert_eq!(health(&world).await, "degraded");
    assert!(dead(&world).await.is_empty());
}

#[tokio::test]
async fn trouble_with_apns_or_permissions_keeps_the_token_raises_an_error_and_waits() {
    for code in ["THIRD_PARTY_AUTH_ERROR", "PERMISSION_DENIED"] {
        let (world, token) = after(code).await;
        assert_eq!(
            (tokens_kept(&world.app).await, world.waiting().await),
            (1, 1),
            "{code}"
        );
        assert_eq!(health(&world).await, "degraded", "{code}");
        let tries = format!("halobestie_fcm_failed_total{{code=\"{code}\"}}");
        assert_eq!(world.metric(&tries).await, 1);
        // Somebody mends it.
        world.google().device_works(&token);
        world.app.clock.advance(Duration::from_secs(80));
        world.pushes(&token, 1).await;
    }
}

#[tokio::test]
async fn a_quota_is_waited_for_as_long_as_it_says_or_a_minute() {
    for (said, waits) in [(Some(7), 7), (None, 60)] {
        let world = World::start().await;
        let (person, token) = world.customer("phone").await;
        let retry_after = said.map(Duration::from_secs);
        world.google().fail_sends(1, "QUOTA_EXCEEDED", retry_after);
        world.notify(&[person.user_id], &over()).await;
        world.app.finish_jobs().await;
        world.app.clock.advance(Duration::from_secs(waits - 1));
        world.pushes(&token, 0).await;
        // The rest, and the jitter.
        world.app.clock.advance(Duration::from_secs(1 + waits / 2));
        world.pushes(&token, 1).await;
    }
}

#[tokio::test]
async fn trouble_of_theirs_is_tried_again_with_growing_pauses() {
    for code in ["UNAVAILABLE", "INTERNAL"] {
        let world = World::start().await;
        let (person, token) = world.customer("phone").await;
        world.google().fail_sends(3, code, None);
        world.notify(&[person.user_id], &over()).await;
        for pause in [1, 2, 4] {
            world.pushes(&token, 0).await;
            world
                .app
                .clock
                .advance(Duration::from_millis(pause * 1300 + 10));
        }
        world.pushes(&token, 1).await;
        let tries = format!("halobestie_fcm_failed_total{{code=\"{code}\"}}");
        assert_eq!(world.metric(&tries).await, 3);
    }
}

#[tokio::test]
async fn a_page_of_something_in_between_is_no_word_about_the_token() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    let page = |status| Fault::Raw {
        status,
        content_type: "text/html".into(),
        body: "<html>".into(),
    };
    let sends = Some("send");
    world.google().knobs.strike(sends, 1, Fault::bad_gateway());
    world.google().knobs.strike(sends, 1, page(404));
    world.notify(&[person.user_id], &over()).await;
    world.app.finish_jobs().await;
    world.pass(90).await;
    assert_eq!(tokens_kept(&world.app).await, 1);
    world.pushes(&token, 1).await;
}

#[tokio::test]
async fn a_token_that_was_sent_again_meanwhile_is_not_deleted() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    world.google().device_fails(&token, "UNREGISTERED");
    world.google().knobs.delay(Duration::from_millis(500));
    world.notify(&[person.user_id], &over()).await;
    halobestie_testkit::eventually("FCM was called", || async {
        world
            .google()
            .calls()
            .iter()
            .any(|it| it.operation == "send")
    })
    .await;
    world.app.clock.advance(Duration::from_millis(1));
    put(&world.app, &person, &token).await.expect(204);
    world.app.finish_jobs().await;
    assert_eq!(tokens_kept(&world.app).await, 1);
}
