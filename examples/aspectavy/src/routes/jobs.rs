//! The job: a card that is owed.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::jobs::{Attempt, Failure, Handler, Job, Policy};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::compiling;
use super::state::State;
use crate::track::Way;

/// A route whose card is owed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CompileRoute {
    pub(super) route_id: Uuid,
}

impl Job for CompileRoute {
    const KIND: &'static str = "compile-route";
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
    Handler::new(move |attempt: Attempt<CompileRoute>| {
        let state = state.clone();
        async move {
            let done = compiling::compile(&state, attempt.payload.route_id, Way::Job).await;
            done.map_err(Failure::from)
        }
    })
}
