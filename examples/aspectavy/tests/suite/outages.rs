//! The feed fails, or the worker is silent: what was good stays, and readers help themselves.

use std::time::Duration;

use futures_util::future::join_all;
use halobestie_core::app::Role;
use halobestie_sandbox::Fault;
use halobestie_testkit::eventually;
use serde_json::json;

use crate::world::World;

const SYNC: Duration = Duration::from_secs(600);
const STALE: Duration = Duration::from_secs(1801);

fn raw(status: u16, body: &str) -> Fault {
    Fault::Raw {
        status,
        content_type: "application/json".to_owned(),
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn whatever_the_feed_says_the_last_good_forecast_stays() {
    let world = World::start().await;
    world.app.run_sweep("forecast-sync").await;
    let good = world.forecast("silvretta").await.expect(200).json();
    for fault in [
        Fault::error("500"),
        Fault::error("404"),
        Fault::bad_gateway(),
        Fault::Cut,
        Fault::Lost,
        raw(200, "{\"region\": \"silv"),
        raw(200, "[]"),
        raw(200, ""),
        raw(204, ""),
    ] {
        // Past the longest pause.
        world.app.clock.advance(SYNC);
        world.feed.knobs.strike(None, 2, fault.clone());
        world.app.run_sweep("forecast-sync").await;
        let mut shown = world.forecast("silvretta").await.expect(200).json();
        shown["stale"] = json!(false);
        assert_eq!(shown, good, "{fault:?}");
        world.feed.knobs.reset().await;
    }
}

#[tokio::test]
async fn a_forecast_that_makes_no_sense_is_not_taken() {
    let world = World::start().await;
    world.app.run_sweep("forecast-sync").await;
    let good = world.forecast("silvretta").await.expect(200).json();
    let document = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut document = json!({
            "region": "silvretta", "issued_at": "2026-01-15T08:00:00Z",
            "valid_until": "2026-01-16T08:00:00Z", "danger_level": 3,
        });
        change(&mut document);
        document
    };
    for wrong in [
        document(&|it| it["danger_level"] = json!(6)),
        document(&|it| it["danger_level"] = json!("high")),
        document(&|it| it["region"] = json!("tyrol-north")),
        document(&|it| it["valid_until"] = json!("2026-01-14T08:00:00Z")),
        document(&|it| it["summary"] = json!("x".repeat(5_000))),
        document(&|it| it["padding"] = json!("x".repeat(300_000))),
    ] {
        world.feed.publish_document("silvretta", wrong);
        world.app.clock.advance(SYNC);
        world.app.run_sweep("forecast-sync").await;
        let shown = world.forecast("silvretta").await.expect(200).json();
        assert_eq!(shown["danger_level"], good["danger_level"]);
    }
    // And one that does is.
    world.feed.publish_document("silvretta", document(&|_| {}));
    world.app.clock.advance(SYNC);
    world.app.run_sweep("forecast-sync").await;
    assert_eq!(world.forecast("silvretta").await.json()["danger_level"], 3);
}

#[tokio::test]
async fn a_feed_that_fails_is_asked_less_and_less() {
    let world = World::start().await;
    world.feed.knobs.fail_next(1_000, "500");
    for _ in 0..60 {
        world.app.run_sweep("forecast-sync").await;
        world.app.clock.advance(Duration::from_secs(15));
    }
    // After 0, 30, 90, 210, 450 seconds; the next would be after 930.
    assert_eq!(world.calls_for("silvretta"), 5);
}

#[tokio::test]
async fn without_a_worker_the_first_readers_share_one_look() {
    let world = World::of(Role::Api, &[]).await;
    world.feed.knobs.delay(Duration::from_millis(300));
    let readers = (0..20).map(|_| world.forecast("silvretta"));
    for answer in join_all(readers).await {
        assert_eq!(answer.expect(200).json()["danger_level"], 2);
    }
    assert_eq!(world.calls_for("silvretta"), 1);
    world.forecast("silvretta").await.expect(200);
    assert_eq!(world.calls_for("silvretta"), 1);
}

#[tokio::test]
async fn two_replicas_without_a_worker_look_once_for_all_their_readers() {
    let world = World::of(Role::Api, &[]).await;
    let other = world.app.another().role(Role::Api).start().await;
    world.feed.knobs.delay(Duration::from_millis(300));
    let there = (0..10).map(|_| other.get("/api/forecasts/silvretta").send());
    let here = (0..10).map(|_| world.forecast("silvretta"));
    let readers = async { tokio::join!(join_all(here), join_all(there)) };
    let passing = eventually("time passes", || async {
        world.app.clock.advance(Duration::from_millis(10));
        false
    });
    let (here, there) = tokio::select! {
        answers = readers => answers,
        () = passing => unreachable!("it panics first"),
    };
    for answer in here.into_iter().chain(there) {
        answer.expect(200);
    }
    assert_eq!(world.calls_for("silvretta"), 1);
}

#[tokio::test]
async fn a_worker_that_falls_silent_is_made_up_for() {
    let world = World::of(Role::Api, &[]).await;
    world.forecast("silvretta").await.expect(200);
    world.feed.publish("silvretta", 4);
    world.app.clock.advance(SYNC * 2);
    // Not long enough to be sure.
    assert_eq!(world.forecast("silvretta").await.json()["danger_level"], 2);
    world.app.clock.advance(STALE - SYNC * 2);
    let shown = world.forecast("silvretta").await.expect(200).json();
    assert_eq!(
        (&shown["danger_level"], &shown["stale"]),
        (&json!(4), &json!(false))
    );
    eventually("it is told", || async {
        world.app.clock.advance(Duration::from_secs(1));
        let events = world.aptabase.events();
        events
            .iter()
            .filter(|it| it.name == "forecast_asked_inline")
            .count()
            == 2
    })
    .await;
}

#[tokio::test]
async fn with_neither_worker_nor_feed_what_is_old_is_shown_as_old_and_nothing_as_nothing() {
    let world = World::of(Role::Api, &[]).await;
    world.forecast("silvretta").await.expect(200);
    world.feed.knobs.down().await;
    world.app.clock.advance(STALE);
    let shown = world.forecast("silvretta").await.expect(200).json();
    assert_eq!(
        (&shown["danger_level"], &shown["stale"]),
        (&json!(2), &json!(true))
    );
    let nothing = world.forecast("tyrol-north").await;
    nothing.problem("forecast_unavailable", 503);
    assert_eq!(nothing.retry_after(), 10);
}

#[tokio::test]
async fn while_the_feed_is_left_alone_nobody_waits_for_it() {
    let world = World::of(Role::Api, &[]).await;
    world.feed.knobs.fail_next(1_000, "500");
    for _ in 0..3 {
        let nothing = world.forecast("silvretta").await;
        // Whoever waited would wait for a clock that stands.
        nothing.problem("forecast_unavailable", 503);
    }
    assert_eq!(world.calls_for("silvretta"), 1);
}

#[tokio::test]
async fn who_took_a_turn_and_died_is_followed_after_the_lease() {
    let world = World::of(Role::Api, &[]).await;
    world.feed.knobs.delay(Duration::from_secs(60));
    let reading = world.forecast("silvretta");
    // The reader goes away in the middle, and its turn with it.
    let _ = tokio::time::timeout(Duration::from_millis(500), reading).await;
    eventually("the turn was taken", || async {
        world.calls_for("silvretta") == 1
    })
    .await;
    world.feed.knobs.reset().await;
    world.app.clock.advance(Duration::from_secs(20));
    world.forecast("silvretta").await.expect(200);
}
