//! A worker dies in the middle of many sends: none is lost, and at most those under way are doubled.

use std::collections::HashMap;
use std::time::Duration;

use halobestie_core::app::Role;
use halobestie_core::ports::Notice;
use halobestie_testkit::eventually;

use crate::world::{Firebase, World, notify, over, waiting};

const PUSHES: usize = 1_000;
/// Slots of a worker.
const UNDER_WAY_MAX: usize = 200;
/// The timeout of a push, and the margin of its lease.
const LEASE: Duration = Duration::from_secs(41);

#[tokio::test]
async fn a_crash_in_the_middle_of_a_thousand_sends_loses_none_and_doubles_few() {
    let firebase = Firebase::start().await;
    let app = firebase.plan().role(Role::Api).start().await;
    let world = World { app, firebase };
    let (person, _) = world.customer("phone").await;
    let notices: Vec<Notice> = (0..PUSHES)
        .map(|_| Notice {
            user_id: person.user_id,
            news: over(),
        })
        .collect();
    notify(&world.app, &notices).await;
    world.google().knobs.delay(Duration::from_millis(20));
    let worker = world.app.another().role(Role::Worker).start().await;
    eventually("it is in the middle", || async {
        world.google().accepted() >= 300
    })
    .await;
    worker.crash().await;
    let sent_before = world.google().accepted();
    assert!(sent_before < PUSHES as u64, "{sent_before}");

    world.google().knobs.delay(Duration::ZERO);
    world.app.clock.advance(LEASE);
    let worker = world.app.another().role(Role::Worker).start().await;
    eventually("everything is sent", || async {
        waiting(&world.app).await == 0
    })
    .await;
    worker.stop().await;
    let mut times: HashMap<String, usize> = HashMap::new();
    for push in world.google().pushes() {
        let session_id = push.data("session_id").unwrap().to_owned();
        *times.entry(session_id).or_default() += 1;
    }
    assert_eq!(times.len(), PUSHES, "none is lost");
    let doubled = times.values().filter(|it| **it > 1).count();
    assert!(doubled <= UNDER_WAY_MAX, "{doubled}");
    assert!(times.values().all(|it| *it <= 2));
}

#[tokio::test]
async fn in_normal_running_each_device_gets_each_thing_once_over_two_workers() {
    let world = World::start().await;
    let _replica = world.app.replica().await;
    let (person, first) = world.customer("phone").await;
    let second = world.register(&person, "tablet").await;
    for _ in 0..100 {
        world.notify(&[person.user_id], &over()).await;
    }
    world.pushes(&first, 100).await;
    world.pushes(&second, 100).await;
}
