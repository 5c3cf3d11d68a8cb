//! Device tokens: whose they are, with what they go, and that nobody is reached who has gone.

use std::time::Duration;

use halobestie_auth::testing::{customer, fresh_phone, sign_in};
use halobestie_core::ports::Role;
use serde_json::json;

use crate::world::{World, over, put, tokens_kept};

#[tokio::test]
async fn a_token_is_taken_once_and_given_back_any_number_of_times() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    put(&world.app, &person, &token).await.expect(204);
    assert_eq!(tokens_kept(&world.app).await, 1);
    for _ in 0..2 {
        let path = format!("/api/devices/{token}");
        let call = world.app.delete(&path).bearer(&person.access_token);
        call.send().await.expect(204);
        assert_eq!(tokens_kept(&world.app).await, 0);
    }
    world.notify(&[person.user_id], &over()).await;
    world.pushes(&token, 0).await;
}

#[tokio::test]
async fn only_its_person_gives_a_token_back() {
    let world = World::start().await;
    let (_, token) = world.customer("phone").await;
    let stranger = customer(&world.app).await;
    let path = format!("/api/devices/{token}");
    let call = world.app.delete(&path).bearer(&stranger.access_token);
    call.send().await.expect(204);
    assert_eq!(tokens_kept(&world.app).await, 1);
    world.app.delete(&path).send().await.expect(401);
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let world = World::start().await;
    let person = customer(&world.app).await;
    for token in ["", "two words", "nul\0", &"x".repeat(1025)] {
        let answer = put(&world.app, &person, token).await;
        answer.problem("validation_failed", 422);
    }
    let call = world.app.put("/api/devices").bearer(&person.access_token);
    let body = json!({"token": "x".repeat(100), "platform": "fridge"});
    call.json(&body).send().await.expect(422);
    assert_eq!(tokens_kept(&world.app).await, 0);
}

#[tokio::test]
async fn a_token_belongs_to_whoever_sent_it_last_and_takes_nothing_along() {
    let world = World::start().await;
    let (first, token) = world.customer("shared phone").await;
    // What waits for the first is not shown to the second.
    world.google().knobs.down().await;
    world.notify(&[first.user_id], &over()).await;
    world
        .counts("halobestie_fcm_failed_total{code=\"NO_ACCESS\"}", 1)
        .await;
    let second = customer(&world.app).await;
    put(&world.app, &second, &token).await.expect(204);
    assert_eq!(tokens_kept(&world.app).await, 1);
    world.google().knobs.up().await;
    world.pass(5).await;
    world.pushes(&token, 0).await;
    world
        .notify(&[first.user_id, second.user_id], &over())
        .await;
    world.pushes(&token, 1).await;
}

#[tokio::test]
async fn signing_out_takes_the_tokens_along_at_once() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    let call = world.app.post("/api/auth/logout");
    call.bearer(&person.access_token).send().await.expect(204);
    world
        .counts(
            "halobestie_fcm_tokens_deleted_total{reason=\"signed_out\"}",
            1,
        )
        .await;
    assert_eq!(tokens_kept(&world.app).await, 0);
    world.notify(&[person.user_id], &over()).await;
    world.pushes(&token, 0).await;
}

#[tokio::test]
async fn a_revoked_session_gets_nothing_even_if_nobody_was_told_and_the_sweep_cleans_up() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    let (other, other_token) = world.customer("another").await;
    // As if the bus had lost it.
    let revoke = "UPDATE auth_sessions SET revoked_at = created_at, revoke_reason = 'logout' WHERE user_id = $1";
    world.app.database.execute(revoke, &[&person.user_id]).await;
    world
        .notify(&[person.user_id, other.user_id], &over())
        .await;
    world.pushes(&token, 0).await;
    world.pushes(&other_token, 1).await;
    assert_eq!(tokens_kept(&world.app).await, 2);
    assert_eq!(world.app.run_sweep("fcm-cleanup").await.changed, 1);
    assert_eq!(tokens_kept(&world.app).await, 1);
}

#[tokio::test]
async fn a_session_that_ran_out_gets_nothing() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    world.app.clock.advance(Duration::from_secs(31 * 24 * 3600));
    world.notify(&[person.user_id], &over()).await;
    world.pushes(&token, 0).await;
    world.app.run_sweep("fcm-cleanup").await;
    assert_eq!(tokens_kept(&world.app).await, 0);
}

#[tokio::test]
async fn signing_in_again_keeps_the_device_and_what_waits_for_it() {
    let world = World::start().await;
    let phone = fresh_phone();
    let before = sign_in(&world.app, Role::Customer, &phone).await;
    let token = world.register(&before, "phone").await;
    world.google().knobs.down().await;
    world.notify(&[before.user_id], &over()).await;
    world
        .counts("halobestie_fcm_failed_total{code=\"NO_ACCESS\"}", 1)
        .await;
    world.app.clock.advance(Duration::from_secs(40));
    let after = sign_in(&world.app, Role::Customer, &phone).await;
    put(&world.app, &after, &token).await.expect(204);
    let call = world.app.post("/api/auth/logout");
    call.bearer(&before.access_token).send().await.expect(204);
    world.google().knobs.up().await;
    world.pass(70).await;
    world.pushes(&token, 1).await;
}

#[tokio::test]
async fn closing_the_account_erases_the_tokens() {
    let world = World::start().await;
    let (person, _) = world.customer("phone").await;
    let call = world
        .app
        .delete("/api/auth/me")
        .bearer(&person.access_token);
    call.send().await.expect(204);
    assert_eq!(tokens_kept(&world.app).await, 0);
}

#[tokio::test]
async fn ten_devices_are_kept_the_newest() {
    let world = World::start().await;
    let (person, first) = world.customer("0").await;
    for device in 1..=10 {
        world.app.clock.advance(Duration::from_millis(1));
        world.register(&person, &device.to_string()).await;
    }
    assert_eq!(tokens_kept(&world.app).await, 10);
    world.notify(&[person.user_id], &over()).await;
    world.app.finish_jobs().await;
    assert_eq!(world.google().accepted(), 10);
    assert!(world.google().pushes_to(&first).is_empty());
}
