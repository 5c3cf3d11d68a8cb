//! FCM turns everybody away: all of us hold back, and everything goes out in the end.

use std::time::Duration;

use halobestie_core::ports::Notice;

use crate::world::{World, notify, over};

const PUSHES: usize = 600;

async fn happen(world: &World, user_id: uuid::Uuid) {
    let notices: Vec<Notice> = (0..PUSHES)
        .map(|_| Notice {
            user_id,
            news: over(),
        })
        .collect();
    notify(&world.app, &notices).await;
    world.app.finish_jobs().await;
}

fn sends(world: &World) -> u64 {
    let calls = world.google().calls();
    calls.iter().filter(|it| it.operation == "send").count() as u64
}

#[tokio::test]
async fn a_storm_of_429_holds_everybody_back_and_is_recovered_from() {
    let world = World::start().await;
    let (person, _) = world.customer("phone").await;
    let wait = Some(Duration::from_secs(30));
    world.google().fail_sends(1_000_000, "QUOTA_EXCEEDED", wait);
    happen(&world, person.user_id).await;
    // Those that were under way when the first answers came, and no more.
    let in_the_storm = sends(&world);
    assert!(in_the_storm < 300, "{in_the_storm}");
    assert_eq!(world.waiting().await, i64::try_from(PUSHES).unwrap());
    // Before the time that was named, nobody calls.
    world.pass(29).await;
    assert_eq!(sends(&world), in_the_storm);
    let page = world.app.get("/readyz").send().await.expect(200).json();
    assert_eq!(page["checks"]["fcm"]["status"], "degraded");
    // After it a few try, and all hold back again.
    world.pass(12).await;
    let again = sends(&world) - in_the_storm;
    assert!((1..300).contains(&again), "{again}");
    world.google().knobs.reset().await;
    world.pass(60).await;
    assert_eq!(world.waiting().await, 0);
    assert_eq!(world.google().accepted(), PUSHES as u64);
    assert_eq!(
        world
            .metric("halobestie_fcm_sent_total{type=\"session.updated\"}")
            .await,
        PUSHES as u64
    );
}

#[tokio::test]
async fn one_device_over_its_quota_holds_back_no_other() {
    let world = World::start().await;
    let (first, first_token) = world.customer("greedy").await;
    let (second, second_token) = world.customer("modest").await;
    let wait = Some(Duration::from_secs(600));
    world
        .google()
        .device_fails_for(&first_token, "QUOTA_EXCEEDED", wait);
    for _ in 0..8 {
        world
            .notify(&[first.user_id, second.user_id], &over())
            .await;
        world.app.finish_jobs().await;
    }
    world.pushes(&second_token, 8).await;
    assert_eq!(world.metric("halobestie_fcm_held_total").await, 0);
}
