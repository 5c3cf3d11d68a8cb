//! Analytics: how often things happen, counted by Aptabase.
//!
//! Whoever tells of an event goes on at once; what is told waits in bounded memory, is sent in batches,
//! and is lost when Aptabase is away for long: the oldest first. The invariant: nothing of a person goes
//! out. Events are literals and numbers (the port sees to that), and the session that Aptabase wants is
//! this process's own, so all that happens here looks like one visitor.

mod config;
mod event;
mod meters;
mod queue;
mod sender;
mod session;
mod wire;

use std::sync::Arc;

use halobestie_core::migrate::Migration;
use halobestie_core::module::{RunsOn, Service};
use halobestie_core::ports::Capability;
use halobestie_core::{BoxError, Context, Contribution, ErrorCode, Module};
use tracing::{info, warn};

use crate::queue::Queue;
use crate::sender::Sender;

pub use crate::config::AnalyticsConfig;

/// The module.
pub struct Analytics;

impl Module for Analytics {
    const NAME: &'static str = "analytics";
    const NEEDS: &'static [Capability] = &[];
    const PROVIDES: &'static [Capability] = &[Capability::Analytics];
    const SWEEPS: &'static [&'static str] = &[];
    type Config = AnalyticsConfig;

    fn migrations() -> &'static [Migration] {
        &[]
    }

    fn errors() -> &'static [&'static ErrorCode] {
        &[]
    }

    fn openapi() -> utoipa::openapi::OpenApi {
        utoipa::openapi::OpenApi::default()
    }

    async fn build(config: AnalyticsConfig, cx: &mut Context) -> Result<Contribution, BoxError> {
        let Some(place) = config.place() else {
            info!("APTABASE_APP_KEY is not set: nothing is counted");
            cx.ports.analytics.fill(Arc::new(event::Nowhere));
            return Ok(Contribution::default());
        };
        if cx.env.is_deployed() && !config.is_encrypted() {
            warn!("APTABASE_BASE_URL is not https: strangers can read what is counted");
        }
        let queue = Arc::new(Queue::new(&cx.metrics));
        let sender = Sender::new(place, config.deadlines(), queue.clone(), cx)?;
        let teller = event::Teller::new(queue, cx);
        cx.ports.analytics.fill(Arc::new(teller));
        Ok(Contribution {
            services: vec![Service::new("analytics", RunsOn::Every, sender.run())],
            ..Contribution::default()
        })
    }
}
