//! The `[forecast]` section.

use std::time::Duration;

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use halobestie_core::outbound::Deadlines;
use halobestie_core::outbound::reqwest::Url;
use serde::Deserialize;

/// Regions at most: a run of the sweep asks for all of them, one after another.
const REGIONS_MAX: usize = 100;
const REGION_CHARS_MAX: usize = 64;

/// Keys of `[forecast]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastConfig {
    /// Forecasts are at `<url>/<region>`.
    pub feed_url: Option<String>,
    /// Which there are.
    pub regions: Vec<String>,
    /// How often the feed is asked for each region.
    pub sync_seconds: u64,
    /// After how long without an answer of the feed whoever reads asks it.
    pub stale_seconds: u64,
    /// The deadline of a call.
    pub timeout_ms: u64,
}

const FEED_URL: &str = "a URL such as https://feed.example.org/forecasts";
const REGIONS: &str =
    "at most 100 names of lower-case letters, digits and hyphens, such as tyrol-north";

impl ForecastConfig {
    /// Half of the time is for the answer at least.
    pub(super) fn deadlines(&self) -> Deadlines {
        let total = Duration::from_millis(self.timeout_ms);
        Deadlines {
            connect: total / 2,
            total,
        }
    }
}

/// Whether a text can stand in the feed's address and in ours.
fn is_region(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= REGION_CHARS_MAX && name.bytes().all(fits)
}

fn is_feed(text: &str) -> bool {
    let url = Url::parse(text).ok();
    url.is_some_and(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

impl Section for ForecastConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "FORECAST_FEED_URL",
            "feed_url",
            Kind::Text,
            "forecasts are at <url>/<region>; required where the module is on",
        )
        .accepts(FEED_URL),
        Variable::new(
            "FORECAST_REGIONS",
            "regions",
            Kind::List,
            "which regions there are",
        )
        .accepts(REGIONS),
        Variable::new(
            "FORECAST_SYNC_SECONDS",
            "sync_seconds",
            Kind::Integer,
            "how often the feed is asked for each region",
        ),
        Variable::new(
            "FORECAST_STALE_SECONDS",
            "stale_seconds",
            Kind::Integer,
            "after how long without an answer of the feed whoever reads asks it",
        ),
        Variable::new(
            "FORECAST_TIMEOUT_MS",
            "timeout_ms",
            Kind::Integer,
            "the deadline of a call to the feed, in milliseconds",
        ),
    ];
    const DEFAULTS: &'static str = include_str!("defaults.toml");

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        let feed = self.feed_url.as_deref();
        let regions =
            self.regions.len() <= REGIONS_MAX && self.regions.iter().all(|it| is_region(it));
        Checks::default()
            .require(
                "feed_url",
                feed.is_some_and(is_feed),
                format!("expected {FEED_URL}"),
            )
            .require("regions", regions, format!("expected {REGIONS}"))
            .range("sync_seconds", self.sync_seconds, 30..=86_400)
            .range("stale_seconds", self.stale_seconds, 60..=604_800)
            .require(
                "stale_seconds",
                self.stale_seconds > self.sync_seconds,
                "expected more than FORECAST_SYNC_SECONDS",
            )
            // Even a reader who asks the feed must be answered within the request's deadline.
            .range("timeout_ms", self.timeout_ms, 100..=15_000)
            .invalid
    }
}
