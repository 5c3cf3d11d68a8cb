//! The job: a summary that is owed.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::jobs::{Attempt, Failure, Handler, Job, Policy};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::finalising;
use super::state::State;
use crate::track::Way;

/// A tour whose summary is owed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FinaliseTour {
    pub(super) tour_id: Uuid,
}

impl Job for FinaliseTour {
    const KIND: &'static str = "finalise-tour";
    const POLICY: Policy = Policy {
        timeout: Duration::from_secs(60),
        // It computes: no more at once than the bench has places.
        concurrency: 2,
        keep_done: Duration::ZERO,
        ..Policy::DEFAULT
    };
}

/// Who does it.
pub(super) fn handler(state: Arc<State>) -> Handler {
    Handler::new(move |attempt: Attempt<FinaliseTour>| {
        let state = state.clone();
        async move {
            let done = finalising::finalise(&state, attempt.payload.tour_id, Way::Job).await;
            done.map_err(Failure::from)
        }
    })
}
