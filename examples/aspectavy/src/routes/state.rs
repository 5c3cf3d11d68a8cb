//! What the handlers and the job share.

use halobestie_core::Context;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::flights::Flights;
use halobestie_core::jobs::Jobs;
use halobestie_core::pg::Db;
use halobestie_core::ports::{Analytics, Late};
use uuid::Uuid;

use super::compiling::Compiled;
use crate::track::Bench;

/// The shared state.
pub(super) struct State {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    pub(super) jobs: Jobs,
    pub(super) bench: Bench,
    pub(super) flights: Flights<Uuid, Compiled>,
    pub(super) analytics: Late<dyn Analytics>,
}

impl State {
    pub(super) fn new(cx: &Context) -> Self {
        Self {
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            jobs: cx.jobs.clone(),
            bench: Bench::default(),
            flights: Flights::default(),
            analytics: cx.ports.analytics.clone(),
        }
    }
}
