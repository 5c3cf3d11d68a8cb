//! The servers of this suite: api, worker, or both, over a feed that does as it is told.

use aspectavy::COMPILED;
use halobestie_auth::testing::{SignedIn, customer};
use halobestie_core::Timestamp;
use halobestie_core::app::Role;
use halobestie_core::clock::Clock;
use halobestie_sandbox::Aptabase;
use halobestie_testkit::{Plan, TestApp, TestResponse};
use serde_json::{Value, json};

use crate::feed::Feed;

/// The regions of the feed.
pub(crate) const REGIONS: [&str; 2] = ["silvretta", "tyrol-north"];

/// A server and what is around it.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) feed: Feed,
    pub(crate) aptabase: Aptabase,
}

impl World {
    /// A server that does everything.
    pub(crate) async fn start() -> Self {
        Self::of(Role::All, &[]).await
    }

    /// A server with this role and these variables.
    pub(crate) async fn of(role: Role, variables: &[(&str, &str)]) -> Self {
        let clock = Clock::manual(Timestamp::from_unix_ms(1_768_464_000_000));
        let feed = Feed::start(&REGIONS, clock.clone()).await;
        let aptabase = Aptabase::start(clock.clone()).await;
        let mut plan = plan(&feed).clock(clock).role(role);
        for (name, value) in aptabase.variables() {
            plan = plan.env(name, &value);
        }
        for (name, value) in variables {
            plan = plan.env(name, value);
        }
        let app = plan.start().await;
        Self {
            app,
            feed,
            aptabase,
        }
    }

    /// The forecast of a region.
    pub(crate) async fn forecast(&self, region: &str) -> TestResponse {
        self.app
            .get(&format!("/api/forecasts/{region}"))
            .send()
            .await
    }

    /// Calls for a region that reached the feed.
    pub(crate) fn calls_for(&self, region: &str) -> usize {
        let calls = self.feed.calls().into_iter();
        calls.filter(|it| it.path.ends_with(region)).count()
    }

    /// Somebody who is signed in.
    pub(crate) async fn walker(&self) -> SignedIn {
        customer(&self.app).await
    }
}

/// A server that is pointed at a feed.
pub(crate) fn plan(feed: &Feed) -> Plan {
    TestApp::with(COMPILED)
        .env("FORECAST_FEED_URL", &feed.url())
        .env("FORECAST_REGIONS", &REGIONS.join(","))
}

/// A GPX file: a kilometre northwards in steps of ten metres, and so far up.
pub(crate) fn gpx(name: &str, up_m: u32) -> String {
    let points: String = (0..=100)
        .map(|step| {
            let latitude = 47.0 + f64::from(step) * 10.0 / 111_195.08;
            let height = 1_500.0 + f64::from(up_m * step) / 100.0;
            format!(r#"<trkpt lat="{latitude}" lon="11.0"><ele>{height}</ele></trkpt>"#)
        })
        .collect();
    format!(
        r#"<?xml version="1.0"?><gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1">
           <trk><name>{name}</name><trkseg>{points}</trkseg></trk></gpx>"#
    )
}

/// Sends a file.
pub(crate) async fn send(app: &TestApp, walker: &SignedIn, gpx: &str) -> TestResponse {
    let call = app.post("/api/routes").bearer(&walker.access_token);
    call.body("application/gpx+xml", gpx.to_owned())
        .send()
        .await
}

/// Reads something of somebody's.
pub(crate) async fn get(app: &TestApp, walker: &SignedIn, path: &str) -> TestResponse {
    app.get(path).bearer(&walker.access_token).send().await
}

/// Begins a tour and walks ten minutes of it, a point a minute; its id.
pub(crate) async fn walk(app: &TestApp, walker: &SignedIn) -> String {
    let begun = app.post("/api/tours").bearer(&walker.access_token);
    let tour = begun.send().await.expect(201).json();
    let id = tour["id"].as_str().unwrap().to_owned();
    add(app, walker, &id, 0..11).await.expect(204);
    id
}

/// Adds the points of these minutes.
pub(crate) async fn add(
    app: &TestApp,
    walker: &SignedIn,
    tour: &str,
    minutes: std::ops::Range<u32>,
) -> TestResponse {
    let start = Timestamp::from_unix_ms(1_768_464_000_000);
    let points: Vec<Value> = minutes
        .map(|minute| {
            let at = start + std::time::Duration::from_secs(u64::from(minute) * 60);
            let latitude = 47.0 + f64::from(minute) * 50.0 / 111_195.08;
            json!({"at": at, "latitude": latitude, "longitude": 11.0,
                "elevation_m": 1_500 + minute * 20})
        })
        .collect();
    let call = app.post(&format!("/api/tours/{tour}/points"));
    let call = call.bearer(&walker.access_token);
    call.json(&json!({"points": points})).send().await
}

/// Finalises a tour.
pub(crate) async fn finalise(app: &TestApp, walker: &SignedIn, tour: &str) -> TestResponse {
    let call = app.post(&format!("/api/tours/{tour}/finalise"));
    call.bearer(&walker.access_token).send().await
}
