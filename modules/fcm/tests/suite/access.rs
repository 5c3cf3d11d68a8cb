//! The access token: one for all, replaced in time and when it is not taken.

use std::time::Duration;

use halobestie_sandbox::Fault;

use crate::world::{World, over};

/// How many access tokens Google was asked for.
fn asked(world: &World) -> usize {
    let calls = world.google().calls();
    calls.iter().filter(|it| it.operation == "token").count()
}

#[tokio::test]
async fn one_token_serves_all_sends_until_a_minute_before_its_end() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    let happen = async || {
        world.notify(&[person.user_id], &over()).await;
        world.app.finish_jobs().await;
    };
    for _ in 0..5 {
        happen().await;
    }
    assert_eq!(asked(&world), 1);
    world.app.clock.advance(Duration::from_secs(3599 - 61));
    happen().await;
    assert_eq!(asked(&world), 1);
    world.app.clock.advance(Duration::from_secs(1));
    happen().await;
    assert_eq!(asked(&world), 2);
    world.pushes(&token, 7).await;
}

#[tokio::test]
async fn many_who_want_a_token_at_once_ask_for_one() {
    let world = World::start().await;
    let (person, _) = world.customer("phone").await;
    world.google().knobs.delay(Duration::from_millis(300));
    for _ in 0..50 {
        world.notify(&[person.user_id], &over()).await;
    }
    world.app.finish_jobs().await;
    assert_eq!((asked(&world), world.google().accepted()), (1, 50));
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_replaced_once() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    world.notify(&[person.user_id], &over()).await;
    world.pushes(&token, 1).await;
    world.google().forget_access_tokens();
    world.notify(&[person.user_id], &over()).await;
    world.pushes(&token, 2).await;
    assert_eq!(asked(&world), 2);
    // Where the new one is not taken either, somebody has to look.
    world.google().fail_sends(2, "UNAUTHENTICATED", None);
    world.notify(&[person.user_id], &over()).await;
    world.pushes(&token, 2).await;
    assert_eq!(asked(&world), 3);
    world.app.clock.advance(Duration::from_secs(80));
    world.pushes(&token, 3).await;
}

#[tokio::test]
async fn while_google_gives_no_token_pushes_wait_and_few_ask() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    world.google().set_key_exists(false);
    for _ in 0..20 {
        world.notify(&[person.user_id], &over()).await;
    }
    world.app.finish_jobs().await;
    assert_eq!((asked(&world), world.waiting().await), (1, 20));
    world.google().set_key_exists(true);
    world.pass(10).await;
    world.pushes(&token, 20).await;
}

#[tokio::test]
async fn a_refresh_that_fails_early_leaves_the_old_token_in_use() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    world.notify(&[person.user_id], &over()).await;
    world.pushes(&token, 1).await;
    let fault = Fault::error("temporarily_unavailable");
    world.google().knobs.strike(Some("token"), 1, fault);
    world.app.clock.advance(Duration::from_secs(3599 - 30));
    world.notify(&[person.user_id], &over()).await;
    world.pushes(&token, 2).await;
    assert_eq!(asked(&world), 2);
}
