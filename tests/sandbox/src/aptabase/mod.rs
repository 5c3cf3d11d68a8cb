//! Aptabase: takes events in batches.
//!
//! `POST /api/v0/events`, the application by `App-Key`. A batch of more than 25, or one that is no batch,
//! is refused with 400 and an unknown key with 404, in plain text. An event that is wrong is dropped
//! without a word while the answer is 200, which is what its clients get wrong: here it is kept with the
//! reason, for a test to look at.

mod api;
mod body;

use halobestie_core::clock::Clock;
use halobestie_core::timestamp::Timestamp;
use serde_json::Value;

use crate::knobs::Knobs;
use crate::upstream::{RecordedCall, Standalone};
use api::Api;

/// The error codes that [`Knobs::fail_next`] takes: HTTP statuses.
pub const CODES: &[&str] = &["400", "404", "408", "429", "500", "502", "503", "504"];

/// The operations that knobs and recorded calls name; what is none of them is `unknown`.
pub const OPERATIONS: &[&str] = &["events"];

/// The key of the application that is known; its region is nobody's, so the host must be named.
pub const APP_KEY: &str = "A-SH-0123456789";

/// An event that was taken.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it came.
    pub at: Timestamp,
    /// Its name.
    pub name: String,
    /// As it was sent.
    pub body: Value,
}

/// An Aptabase. It ends when this is dropped.
pub struct Aptabase {
    /// What can be made to go wrong.
    pub knobs: Knobs,
    stage: Standalone<Api>,
}

impl Aptabase {
    /// Starts one at a free port that lives by this clock: the one of the server under test.
    ///
    /// # Panics
    /// When there is no free port.
    #[expect(clippy::expect_used, reason = "a test without ports cannot go on")]
    pub async fn start(clock: Clock) -> Self {
        let api = Api::new(clock.clone());
        let stage = Standalone::start(api, CODES, clock).await;
        let stage = stage.expect("a port is free");
        let knobs = stage.knobs.clone();
        Self { knobs, stage }
    }

    /// The environment that points a server here.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("APTABASE_APP_KEY", APP_KEY.to_owned()),
            ("APTABASE_BASE_URL", self.stage.origin()),
        ]
    }

    /// The events that were taken, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.stage.upstream().events()
    }

    /// Why events were dropped without a word, oldest first.
    pub fn dropped(&self) -> Vec<String> {
        self.stage.upstream().dropped()
    }

    /// The calls that came in, refused ones included, oldest first.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.stage.calls()
    }
}
