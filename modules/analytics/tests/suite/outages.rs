//! Aptabase is away, slow, or wants no more: nobody waits for it, and memory stays bounded.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::clock::Clock;
use halobestie_sandbox::{Aptabase, Fault};
use halobestie_testkit::{PATIENCE, TestApp, eventually};
use tokio::time::timeout;

use crate::world::{ENTRIES, World, pointed_at};

#[tokio::test]
async fn an_outage_loses_nothing_and_keeps_the_order() {
    let world = World::start().await;
    world.aptabase.knobs.down().await;
    world.tell(40);
    for _ in 0..10 {
        world.app.clock.advance(Duration::from_secs(10));
    }
    world.aptabase.knobs.up().await;
    world.come(40).await;
    assert_eq!(world.numbers(), (0..40).collect::<Vec<u64>>());
}

#[tokio::test]
async fn the_oldest_are_dropped_when_an_outage_lasts() {
    let world = World::start().await;
    world.aptabase.knobs.down().await;
    world.tell(1_100);
    eventually("what is too much is dropped", || async {
        world.app.clock.advance(Duration::from_secs(1));
        world.outcome("dropped").await == 100
    })
    .await;
    world.aptabase.knobs.up().await;
    world.come(1_000).await;
    assert_eq!(world.numbers(), (100..1_100).collect::<Vec<u64>>());
}

#[tokio::test]
async fn who_wants_no_more_for_now_is_asked_again_after_the_time_named() {
    let world = World::start().await;
    let knobs = &world.aptabase.knobs;
    let busy = Fault::error_for("429", Duration::from_secs(60));
    knobs.strike(None, 1, busy);
    knobs.fail_next(1, "503");
    world.tell(25);
    eventually("it was asked", || async {
        world.aptabase.calls().len() == 1
    })
    .await;
    // Less than a minute: it is left alone.
    world.app.clock.advance(Duration::from_secs(59));
    world.app.settle().await;
    assert_eq!(world.aptabase.calls().len(), 1);
    world.come(25).await;
    let statuses: Vec<_> = world.aptabase.calls().iter().map(|it| it.status).collect();
    assert_eq!(statuses, [Some(429), Some(503), Some(200)]);
}

#[tokio::test]
async fn what_is_refused_is_dropped_and_the_next_batch_is_tried() {
    let world = World::start().await;
    world.aptabase.knobs.fail_next(1, "404");
    world.tell(25);
    eventually("it is refused", || async {
        world.outcome("refused").await == 25
    })
    .await;
    world.tell(25);
    world.come(25).await;
    assert_eq!(world.aptabase.calls().len(), 2);
}

#[tokio::test]
async fn events_of_yesterday_are_not_sent() {
    let world = World::start().await;
    world.aptabase.knobs.down().await;
    world.tell(10);
    world.app.clock.advance(Duration::from_secs(24 * 3600));
    world.tell(5);
    world.aptabase.knobs.up().await;
    world.come(5).await;
    assert_eq!(world.outcome("dropped").await, 10);
}

#[tokio::test]
async fn an_aptabase_that_never_answers_does_not_hold_up_the_end() {
    let clock = Clock::manual(Timestamp::from_unix_ms(1_768_464_000_000));
    let aptabase = Aptabase::start(clock.clone()).await;
    let plan = pointed_at(TestApp::with(ENTRIES).no_valkey().clock(clock), &aptabase);
    let world = World {
        app: plan.env("APTABASE_TIMEOUT_MS", "60000").start().await,
        aptabase,
    };
    world.aptabase.knobs.delay(Duration::from_secs(60));
    // A batch that is under way, and one that waits.
    world.tell(50);
    eventually("it is asked", || async {
        world.aptabase.calls().len() == 1
    })
    .await;
    let stopped = timeout(PATIENCE, world.app.stop()).await;
    assert!(stopped.is_ok(), "it waits for Aptabase");
}
