//! FCM is away, slow, or forgets to answer: pushes wait, and are given up when nobody wants them any more.

use std::time::Duration;

use halobestie_core::ports::News;
use uuid::Uuid;

use crate::world::{World, over};

#[tokio::test]
async fn pushes_wait_for_an_fcm_that_is_away() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    world.notify(&[person.user_id], &over()).await;
    world.pushes(&token, 1).await;
    world.google().knobs.down().await;
    world.notify(&[person.user_id], &over()).await;
    world.pass(5).await;
    world.google().knobs.up().await;
    world.pass(20).await;
    world.pushes(&token, 2).await;
}

#[tokio::test]
async fn nothing_is_sent_after_its_deadline() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    let expiring = News::SessionExpiring {
        session_id: Uuid::nil(),
        expires_at: world.app.clock.now() + Duration::from_secs(60),
    };
    world.google().knobs.down().await;
    world.notify(&[person.user_id], &expiring).await;
    world.pass(61).await;
    world.google().knobs.up().await;
    world.pass(60).await;
    world.pushes(&token, 0).await;
    assert_eq!(world.waiting().await, 0);
    let dead = "SELECT count(*) FROM jobs WHERE state = 'dead'";
    assert_eq!(world.app.database.row(dead, &[]).await.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_lost_answer_is_tried_again_and_takes_the_place_of_the_first() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    world
        .google()
        .knobs
        .strike(Some("send"), 1, halobestie_sandbox::Fault::Lost);
    world.notify(&[person.user_id], &over()).await;
    world.app.finish_jobs().await;
    world.pass(2).await;
    let pushes = world.pushes(&token, 2).await;
    assert_eq!(pushes[0].collapse_key(), pushes[1].collapse_key());
}

#[tokio::test]
async fn a_connection_that_says_goodbye_or_breaks_is_made_anew() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    for round in 1..=3 {
        world.notify(&[person.user_id], &over()).await;
        world.app.finish_jobs().await;
        world.pass(3).await;
        world.pushes(&token, round).await;
        match round {
            1 => world.google().knobs.drain_connections(),
            _ => world.google().knobs.cut_connections(),
        }
    }
}

#[tokio::test]
async fn an_fcm_that_hangs_costs_a_deadline_and_keeps_nobody_else_waiting() {
    let world = World::with(&[("FCM_TIMEOUT_MS", "300")]).await;
    let (person, token) = world.customer("phone").await;
    world.notify(&[person.user_id], &over()).await;
    world.pushes(&token, 1).await;
    let hang = halobestie_sandbox::Fault::Slow { ms: 60_000 };
    world.google().knobs.strike(Some("send"), 1, hang);
    world.notify(&[person.user_id], &over()).await;
    world.app.finish_jobs().await;
    assert_eq!(
        world
            .metric("halobestie_fcm_failed_total{code=\"NO_ANSWER\"}")
            .await,
        1
    );
    world.notify(&[person.user_id], &over()).await;
    world.app.finish_jobs().await;
    assert!(world.google().pushes_to(&token).len() >= 2);
    world.pass(2).await;
    assert_eq!(world.waiting().await, 0);
}
