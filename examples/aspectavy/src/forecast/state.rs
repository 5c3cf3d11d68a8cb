//! What the handlers and the sweep share.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::flights::Flights;
use halobestie_core::pg::Db;
use halobestie_core::ports::{Analytics, Late};
use halobestie_core::{BoxError, Context};
use prometheus::IntCounterVec;

use super::config::ForecastConfig;
use super::error::ForecastError;
use super::feed::Feed;
use super::store::Stored;

/// What a reader who asked the feed found.
pub(super) type Found = Result<Stored, Arc<ForecastError>>;

/// The shared state.
pub(super) struct State {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) feed: Feed,
    pub(super) regions: Vec<String>,
    pub(super) sync: Duration,
    pub(super) stale: Duration,
    /// A turn is over by then, whatever became of who took it.
    pub(super) lease: Duration,
    pub(super) flights: Flights<String, Found>,
    pub(super) analytics: Late<dyn Analytics>,
    looks: IntCounterVec,
}

/// Two statements and a good deal more beside the call.
const LEASE_ROOM: Duration = Duration::from_secs(15);

impl State {
    pub(super) fn new(config: ForecastConfig, cx: &Context) -> Result<Self, BoxError> {
        let mut regions = config.regions.clone();
        regions.sort();
        regions.dedup();
        Ok(Self {
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            feed: Feed::new(&config)?,
            regions,
            sync: Duration::from_secs(config.sync_seconds),
            stale: Duration::from_secs(config.stale_seconds),
            lease: Duration::from_millis(config.timeout_ms) + LEASE_ROOM,
            flights: Flights::default(),
            analytics: cx.ports.analytics.clone(),
            looks: cx.metrics.counters(
                "aspectavy_forecast_looks_total",
                "Looks at the feed, by what came of them.",
                &["outcome"],
            ),
        })
    }

    /// Counts a look at the feed.
    pub(super) fn count(&self, outcome: &str) {
        self.looks.with_label_values(&[outcome]).inc();
    }
}
