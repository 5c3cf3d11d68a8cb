//! What the handlers and the job share.

use std::sync::Arc;

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::flights::Flights;
use halobestie_core::jobs::Jobs;
use halobestie_core::pg::Db;
use halobestie_core::ports::{Accounts, Analytics, Late};
use halobestie_core::{BoxError, Context};
use uuid::Uuid;

use super::finalising::Finalised;
use crate::track::Bench;

/// The shared state.
pub(super) struct State {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    pub(super) jobs: Jobs,
    pub(super) bench: Bench,
    pub(super) flights: Flights<Uuid, Finalised>,
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) analytics: Late<dyn Analytics>,
}

impl State {
    pub(super) fn new(cx: &Context) -> Result<Self, BoxError> {
        let accounts = cx.ports.accounts.get().cloned();
        Ok(Self {
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            jobs: cx.jobs.clone(),
            bench: Bench::default(),
            flights: Flights::default(),
            accounts: accounts.ok_or("nobody keeps accounts")?,
            analytics: cx.ports.analytics.clone(),
        })
    }
}
