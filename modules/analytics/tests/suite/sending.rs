//! What reaches Aptabase, and when.

use halobestie_sandbox::aptabase::APP_KEY;
use halobestie_testkit::eventually;

use crate::world::{GATHER, World};

#[tokio::test]
async fn a_full_batch_goes_at_once_and_the_rest_waits_for_others() {
    let world = World::start().await;
    world.tell(60);
    eventually("two batches are there", || async {
        world.aptabase.events().len() == 50
    })
    .await;
    world.app.clock.advance(GATHER);
    world.come(60).await;
    let sizes: Vec<usize> = world
        .aptabase
        .calls()
        .iter()
        .map(|call| call.body.matches("eventName").count())
        .collect();
    assert_eq!(sizes.len(), 3);
    assert!(sizes.iter().all(|size| *size <= 25), "{sizes:?}");
    assert_eq!(world.numbers(), (0..60).collect::<Vec<u64>>());
    assert_eq!(world.outcome("sent").await, 60);
}

#[tokio::test]
async fn a_call_carries_the_key_and_nothing_of_a_person() {
    let world = World::start().await;
    world.tell(2);
    world.come(2).await;
    let call = &world.aptabase.calls()[0];
    assert_eq!((call.method.as_str(), call.status), ("POST", Some(200)));
    assert_eq!(call.header("app-key"), Some(APP_KEY));
    let body = call.json();
    assert_eq!(body[0]["eventName"], "tested");
    // Both are of one session: that of the process.
    assert_eq!(body[0]["sessionId"], body[1]["sessionId"]);
    assert_eq!(body[0]["systemProps"]["isDebug"], true);
    let names: Vec<&String> = body[0].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "eventName",
            "props",
            "sessionId",
            "systemProps",
            "timestamp"
        ]
    );
}

#[tokio::test]
async fn what_waits_is_sent_when_the_process_ends() {
    let world = World::start().await;
    let World { app, aptabase } = world;
    let analytics = app.context().ports.analytics.get().unwrap().clone();
    for _ in 0..30 {
        analytics.tell(halobestie_core::ports::AnalyticsEvent::new("last_words"));
    }
    app.stop().await;
    assert_eq!(aptabase.events().len(), 30);
}
