//! Forecasts: what the avalanche services say of each region, kept so that it can be read whatever
//! becomes of their feed.
//!
//! A sweep asks the feed, region by region, for what is newer than what we have. What is stored is only
//! ever replaced by something good. The invariant: who asks the feed has taken the region's turn in
//! Postgres, so however many processes there are, one at a time asks, and after a failure nobody for a
//! while. A reader who finds nothing, or finds that nobody has asked for long, takes that turn itself.

mod bulletin;
mod config;
mod error;
mod feed;
mod handlers;
mod reading;
mod state;
mod store;
mod syncing;
mod table;

use std::sync::Arc;

use halobestie_core::migrate::Migration;
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use utoipa::OpenApi;

use self::config::ForecastConfig;
use self::state::State;

/// The module.
pub struct Forecast;

impl Module for Forecast {
    const NAME: &'static str = "forecast";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[];
    const SWEEPS: &'static [&'static str] = &[syncing::SWEEP];
    type Config = ForecastConfig;

    fn migrations() -> &'static [Migration] {
        &[
            Migration {
                name: "0001_regions",
                sql: include_str!("../../migrations/forecast/0001_regions.sql"),
            },
            Migration {
                name: "0002_asked",
                sql: include_str!("../../migrations/forecast/0002_asked.sql"),
            },
        ]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        error::codes::ALL
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        table::Description::openapi()
    }

    async fn build(config: ForecastConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        let state = Arc::new(State::new(config, cx)?);
        Ok(Contribution {
            public: table::public(state.clone()),
            sweeps: vec![syncing::sweep(&state)],
            ..Contribution::default()
        })
    }
}
