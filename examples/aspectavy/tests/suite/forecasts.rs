//! What is read, and how it comes from the feed.

use std::time::Duration;

use halobestie_testkit::{TestApp, eventually};
use serde_json::json;

use crate::feed::{Feed, Validators};
use crate::world::{World, plan};

const SYNC: Duration = Duration::from_secs(600);

#[tokio::test]
async fn the_sweep_brings_every_region_and_the_list_shows_them() {
    let world = World::start().await;
    let list = async || {
        world
            .app
            .get("/api/forecasts")
            .send()
            .await
            .expect(200)
            .json()
    };
    world.app.run_sweep("forecast-sync").await;
    let levels: Vec<_> = list().await["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["region"].clone(), it["danger_level"].clone()))
        .collect();
    assert_eq!(
        levels,
        [
            (json!("silvretta"), json!(2)),
            (json!("tyrol-north"), json!(2))
        ]
    );
    let forecast = world.forecast("tyrol-north").await.expect(200).json();
    assert_eq!(forecast["danger_level"], 2);
    assert_eq!(forecast["problems"][0]["kind"], "wind_slab");
    assert_eq!(forecast["stale"], false);
    assert!(forecast["not_known_to_us"].is_null(), "{forecast}");
}

#[tokio::test]
async fn a_feed_is_asked_only_when_it_is_time_and_only_for_what_is_newer() {
    let world = World::start().await;
    world.app.run_sweep("forecast-sync").await;
    world.app.run_sweep("forecast-sync").await;
    assert_eq!(world.calls_for("silvretta"), 1);
    world.app.clock.advance(SYNC);
    world.app.run_sweep("forecast-sync").await;
    let call = world.feed.calls().pop().unwrap();
    assert_eq!(call.status, Some(304));
    assert_eq!(call.header("if-none-match"), Some("\"v1\""));
    assert!(call.header("if-modified-since").is_some());
    world.feed.publish("silvretta", 4);
    world.app.clock.advance(SYNC);
    world.app.run_sweep("forecast-sync").await;
    let forecast = world.forecast("silvretta").await.expect(200).json();
    assert_eq!(forecast["danger_level"], 4);
    assert_eq!(world.calls_for("silvretta"), 3);
}

#[tokio::test]
async fn a_feed_with_dates_alone_and_one_with_nothing_are_read_as_well() {
    for (validators, answered) in [(Validators::LastModified, 304), (Validators::None, 200)] {
        let world = World::start().await;
        world.feed.say(validators);
        world.app.run_sweep("forecast-sync").await;
        world.app.clock.advance(SYNC);
        world.app.run_sweep("forecast-sync").await;
        let call = world.feed.calls().pop().unwrap();
        assert_eq!(call.status, Some(answered), "{validators:?}");
        world.forecast("silvretta").await.expect(200);
    }
}

#[tokio::test]
async fn two_workers_ask_once() {
    let world = World::start().await;
    let other = world.app.replica().await;
    tokio::join!(
        world.app.run_sweep("forecast-sync"),
        other.run_sweep("forecast-sync")
    );
    assert_eq!(
        (world.calls_for("silvretta"), world.calls_for("tyrol-north")),
        (1, 1)
    );
}

#[tokio::test]
async fn who_has_a_forecast_is_told_so_until_there_is_another() {
    let world = World::start().await;
    world.app.run_sweep("forecast-sync").await;
    let etag = world
        .forecast("silvretta")
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let ask = async || {
        let call = world.app.get("/api/forecasts/silvretta");
        call.header("if-none-match", &etag).send().await
    };
    assert_eq!(ask().await.expect(304).text(), "");
    world.feed.publish("silvretta", 5);
    world.app.clock.advance(SYNC);
    world.app.run_sweep("forecast-sync").await;
    assert_eq!(ask().await.expect(200).json()["danger_level"], 5);
}

#[tokio::test]
async fn a_region_that_is_not_configured_is_not_asked_for() {
    let world = World::start().await;
    for region in ["atlantis", "..%2F..", "%00", "SILVRETTA"] {
        world.forecast(region).await.problem("not_found", 404);
    }
    assert_eq!(world.calls_for("atlantis"), 0);
}

#[tokio::test]
async fn a_start_without_a_feed_or_with_a_region_that_is_none_is_refused() {
    let problem = TestApp::with(aspectavy::COMPILED)
        .try_start()
        .await
        .err()
        .unwrap();
    assert!(problem.contains("FORECAST_FEED_URL"), "{problem}");
    let clock = halobestie_core::clock::Clock::system();
    let feed = Feed::start(&[], clock).await;
    let plan = plan(&feed).env("FORECAST_REGIONS", "tyrol-north,../etc");
    let problem = plan.try_start().await.err().unwrap();
    assert!(problem.contains("FORECAST_REGIONS"), "{problem}");
}

#[tokio::test]
async fn the_worker_looks_by_itself() {
    let world = World::start().await;
    eventually("both regions are there", || async {
        world.app.clock.advance(Duration::from_secs(5));
        world.calls_for("silvretta") > 0 && world.calls_for("tyrol-north") > 0
    })
    .await;
}
