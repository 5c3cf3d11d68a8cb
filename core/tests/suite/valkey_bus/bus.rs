//! The bus, inside one process and between two.

use std::time::{Duration, Instant};

use bytes::Bytes;
use halobestie_core::bus::{Bus, Event, Subscription};
use halobestie_core::metrics::Metrics;
use halobestie_testkit::{ValkeyProcess, eventually};

use super::{PATIENCE, Process, TIMEOUT, ask, options, soon};

fn message(text: &str) -> Event {
    Event::Message(Bytes::copy_from_slice(text.as_bytes()))
}

/// A subscription that events of other processes reach.
async fn live(bus: &Bus, topic: &str) -> Subscription {
    let mut subscription = bus.subscribe(topic);
    assert!(
        subscription.ready(PATIENCE).await,
        "{topic} is not confirmed"
    );
    subscription
}

/// Whether nothing is waiting. What must not come has no moment at which it has not come, so this
/// follows upon something that came later on the same way.
async fn is_quiet(subscription: &mut Subscription) -> bool {
    tokio::time::timeout(Duration::from_millis(1), subscription.next())
        .await
        .is_err()
}

#[tokio::test]
async fn in_one_process_events_arrive_at_once_in_order_and_by_topic() {
    let bus = Bus::in_process(&Metrics::default());
    let (mut one, mut two, mut other) =
        (bus.subscribe("a"), bus.subscribe("a"), bus.subscribe("b"));
    assert!(bus.is_connected());
    assert!(one.ready(Duration::ZERO).await);
    for text in ["1", "2", "3"] {
        bus.publish("a", text);
    }
    for text in ["1", "2", "3"] {
        assert_eq!(one.next().await, message(text));
        assert_eq!(two.next().await, message(text));
    }
    assert!(is_quiet(&mut other).await);
}

#[tokio::test]
async fn a_slow_subscriber_loses_its_queue_is_told_once_and_goes_on() {
    let bus = Bus::in_process(&Metrics::default());
    let mut slow = bus.subscribe("a");
    for number in 0..1030 {
        bus.publish("a", number.to_string());
    }
    assert_eq!(slow.next().await, Event::Lost);
    for number in 1025..1030 {
        assert_eq!(slow.next().await, message(&number.to_string()));
    }
    assert!(is_quiet(&mut slow).await);
}

#[tokio::test]
async fn events_cross_both_ways_exactly_once() {
    let server = ValkeyProcess::start().await;
    let (a, b) = (
        Process::connected(&server).await,
        Process::connected(&server).await,
    );
    let (mut at_a, mut at_b) = (live(&a.bus, "t").await, live(&b.bus, "t").await);

    a.bus.publish("t", "from a");
    assert_eq!(soon(at_a.next()).await, message("from a"));
    assert_eq!(soon(at_b.next()).await, message("from a"));
    b.bus.publish("t", "from b");
    assert_eq!(soon(at_b.next()).await, message("from b"));
    // Valkey has sent A's own event back to it before this one.
    assert_eq!(soon(at_a.next()).await, message("from b"));
    assert!(is_quiet(&mut at_a).await);
    assert!(a.shows(r#"halobestie_bus_events_total{event="received"} 1"#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_is_kept_across_processes() {
    let server = ValkeyProcess::start().await;
    let (a, b) = (
        Process::connected(&server).await,
        Process::connected(&server).await,
    );
    let mut at_b = live(&b.bus, "t").await;
    for hundred in 0..100 {
        for number in 0..100 {
            a.bus.publish("t", (hundred * 100 + number).to_string());
        }
        for number in 0..100 {
            let expected = message(&(hundred * 100 + number).to_string());
            assert_eq!(soon(at_b.next()).await, expected);
        }
    }
}

#[tokio::test]
async fn a_prefix_keeps_strangers_apart() {
    let server = ValkeyProcess::start().await;
    let ours = Process::connected(&server).await;
    let theirs = Process::start_with(options(server.port(), "other:"));
    theirs.is_connected().await;
    let (mut at_ours, mut at_theirs) = (live(&ours.bus, "t").await, live(&theirs.bus, "t").await);
    theirs.bus.publish("t", "theirs");
    assert_eq!(soon(at_theirs.next()).await, message("theirs"));
    let also_ours = Process::connected(&server).await;
    also_ours.bus.publish("t", "ours");
    assert_eq!(soon(at_ours.next()).await, message("ours"));
}

#[tokio::test]
async fn who_does_not_wait_for_the_confirmation_is_told_lost_once() {
    let server = ValkeyProcess::start().await;
    let (a, b) = (
        Process::connected(&server).await,
        Process::connected(&server).await,
    );
    let mut early = b.bus.subscribe("t");
    b.bus.publish("t", "local");
    assert_eq!(soon(early.next()).await, message("local"));
    assert_eq!(soon(early.next()).await, Event::Lost);
    a.bus.publish("t", "remote");
    assert_eq!(soon(early.next()).await, message("remote"));
    // The topic is live, so nobody who comes later can have missed anything.
    let mut later = b.bus.subscribe("t");
    a.bus.publish("t", "again");
    assert_eq!(soon(later.next()).await, message("again"));
}

#[tokio::test]
async fn without_valkey_the_process_itself_is_served() {
    let mut server = ValkeyProcess::start().await;
    server.kill().await;
    let process = Process::start(server.port());
    let mut here = process.bus.subscribe("t");
    assert!(!here.ready(TIMEOUT).await);
    assert!(!process.bus.is_connected());
    let published = Instant::now();
    process.bus.publish("t", "local");
    assert_eq!(here.next().await, message("local"));
    assert!(published.elapsed() < TIMEOUT / 2);
    let counted = r#"halobestie_bus_dropped_total{by="sender"} 1"#;
    eventually("the loss is counted", || async { process.shows(counted) }).await;
}

#[tokio::test]
async fn after_a_restart_everyone_is_told_and_events_cross_again() {
    let mut server = ValkeyProcess::start().await;
    let (a, b) = (
        Process::connected(&server).await,
        Process::connected(&server).await,
    );
    let (mut at_a, mut at_b) = (live(&a.bus, "t").await, live(&b.bus, "t").await);
    let mut connected = b.bus.connected();
    server.kill().await;
    soon(connected.wait_for(|connected| !connected))
        .await
        .unwrap();
    server.restart().await;

    // Told after the topic is subscribed again: from then on nothing is missed.
    assert_eq!(soon(at_b.next()).await, Event::Lost);
    assert_eq!(soon(at_a.next()).await, Event::Lost);
    a.is_connected().await;
    a.has_connected(2).await;
    a.bus.publish("t", "after");
    assert_eq!(next_message(&mut at_b).await, message("after"));
}

/// The next event that is not a notice.
async fn next_message(subscription: &mut Subscription) -> Event {
    loop {
        match soon(subscription.next()).await {
            Event::Lost => {}
            message => return message,
        }
    }
}

#[tokio::test]
async fn a_frozen_server_is_noticed_and_what_was_missed_is_told() {
    let server = ValkeyProcess::start().await;
    let process = Process::connected(&server).await;
    let mut here = live(&process.bus, "t").await;
    let mut connected = process.bus.connected();
    server.freeze();
    soon(connected.wait_for(|connected| !connected))
        .await
        .unwrap();
    assert!(process.shows("halobestie_bus_connected 0"));
    server.thaw();
    assert_eq!(soon(here.next()).await, Event::Lost);
    soon(connected.wait_for(|connected| *connected))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_one_process_could_not_send_the_others_are_told() {
    let server = ValkeyProcess::start().await;
    let (a, b) = (
        Process::connected(&server).await,
        Process::connected(&server).await,
    );
    let mut at_b = live(&b.bus, "t").await;
    // The connections that publish die; those that listen do not.
    let _: u64 = ask(&server, "CLIENT KILL TYPE normal");
    a.bus.publish("t", "into the void");
    assert_eq!(soon(at_b.next()).await, Event::Lost);
    assert!(b.bus.is_connected());
    assert!(b.shows("halobestie_bus_lost_total 1"));
    a.bus.publish("t", "after");
    assert_eq!(soon(at_b.next()).await, message("after"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_topics_come_and_go() {
    let server = ValkeyProcess::start().await;
    let (a, b) = (
        Process::connected(&server).await,
        Process::connected(&server).await,
    );
    let mut held = Vec::new();
    for number in 0..3_000 {
        held.push(b.bus.subscribe(&format!("user:{number}")));
    }
    for subscription in &mut held {
        assert!(subscription.ready(PATIENCE).await);
    }
    a.bus.publish("user:2999", "you");
    assert_eq!(soon(held[2_999].next()).await, message("you"));
    assert!(b.shows("halobestie_bus_subscriptions 3000"));

    // One goes and comes back at once; the rest goes.
    drop(held.remove(7));
    let mut back = live(&b.bus, "user:7").await;
    drop(held);
    let channels = || ask::<Vec<String>>(&server, "PUBSUB CHANNELS *");
    eventually("the rest is gone", || async { channels().len() == 2 }).await;
    assert!(channels().contains(&"test:bus:user:7".to_owned()));
    a.bus.publish("user:7", "still here");
    assert_eq!(soon(back.next()).await, message("still here"));
}

#[tokio::test]
async fn while_the_process_drains_events_still_come_and_go() {
    let server = ValkeyProcess::start().await;
    let (a, b) = (
        Process::connected(&server).await,
        Process::connected(&server).await,
    );
    let (mut at_a, mut at_b) = (live(&a.bus, "t").await, live(&b.bus, "t").await);
    a.lifecycle.drain();
    b.bus.publish("t", "in");
    assert_eq!(soon(at_a.next()).await, message("in"));
    a.bus.publish("t", "out");
    assert_eq!(soon(at_b.next()).await, message("in"));
    assert_eq!(soon(at_b.next()).await, message("out"));
    a.bus.publish("t", "last words");
    assert!(soon(a.lifecycle.finish(PATIENCE)).await);
    assert_eq!(soon(at_b.next()).await, message("last words"));
}
