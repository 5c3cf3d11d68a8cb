//! Takes events out of the queue and brings them to Aptabase, one batch after another.
//!
//! A batch that may be taken later goes back to the front of the queue and is tried again after a pause
//! that grows. When the process ends, what waits is sent as far as there is time.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::jobs::Backoff;
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::outbound::reqwest::header::RETRY_AFTER;
use halobestie_core::outbound::{self, Deadlines, reqwest};
use halobestie_core::{BoxError, Context};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use crate::event::Told;
use crate::queue::Queue;
use crate::session::Session;
use crate::wire::{AGE_MAX, BATCH, Body, Meaning, System, meaning};

/// How long the first event of a batch waits for others.
const GATHER: Duration = Duration::from_secs(5);
/// How long what is left may take when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// No answer can keep us away for longer.
const AWAY_MAX: Duration = Duration::from_secs(300);
/// The pauses while Aptabase is away.
const PAUSES: Backoff = Backoff {
    first: Duration::from_secs(1),
    factor: 2.0,
    max: AWAY_MAX,
    jitter: 0.2,
};

/// Sends what was told.
pub(crate) struct Sender {
    queue: Arc<Queue>,
    client: reqwest::Client,
    url: String,
    app_key: SecretString,
    system: System,
    session: Session,
    clock: Clock,
    entropy: Entropy,
    lifecycle: Lifecycle,
    /// Batches that were not taken since one was.
    failures: u32,
    /// Whether somebody was warned that batches are refused.
    has_warned: bool,
}

/// What became of a batch.
enum Outcome {
    Settled,
    /// To be tried again; after so long, if Aptabase said so.
    Later(Option<Duration>),
}

impl Sender {
    /// # Errors
    /// When no client can be made, which is a bug of ours.
    pub(crate) fn new(
        place: crate::config::Place,
        deadlines: Deadlines,
        queue: Arc<Queue>,
        cx: &Context,
    ) -> Result<Self, BoxError> {
        Ok(Self {
            queue,
            client: outbound::client(deadlines)?,
            url: format!("{}/api/v0/events", place.base_url),
            app_key: place.app_key,
            system: System::new(&cx.title, !cx.env.is_deployed()),
            session: Session::new(cx.entropy.clone()),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            lifecycle: cx.lifecycle.clone(),
            failures: 0,
            has_warned: false,
        })
    }

    /// Sends until the soft token turns, and then what is left.
    pub(crate) async fn run(mut self) -> Result<(), BoxError> {
        let soft = self.lifecycle.soft().clone();
        while soft.run_until_cancelled(self.gather()).await.is_some() {
            // Not cut off by the token: a batch that was taken out must not be lost half-way. But what is
            // silent by then is not waited for longer than the rest would be.
            let outcome = tokio::select! {
                outcome = self.send_batch() => outcome,
                () = async { soft.cancelled().await; sleep(LAST_WORDS).await } => return Ok(()),
            };
            if let Outcome::Later(named) = outcome {
                let pause = self.pause(named);
                soft.run_until_cancelled(self.clock.sleep(pause)).await;
            }
        }
        let _ = timeout(LAST_WORDS, self.send_rest()).await;
        Ok(())
    }

    /// Waits for a full batch, or for a moment after its first event.
    async fn gather(&self) {
        self.queue.holds(1).await;
        tokio::select! {
            () = self.queue.holds(BATCH) => {}
            () = self.clock.sleep(GATHER) => {}
        }
    }

    async fn send_rest(&mut self) {
        loop {
            let is_empty = timeout(Duration::ZERO, self.queue.holds(1)).await.is_err();
            if is_empty || matches!(self.send_batch().await, Outcome::Later(_)) {
                return;
            }
        }
    }

    fn pause(&mut self, named: Option<Duration>) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let chance = self.entropy.below(1_000) as f64 / 1_000.0;
        match named {
            Some(named) => PAUSES.named(named.min(AWAY_MAX), chance),
            None => PAUSES.pause(self.failures, chance),
        }
    }

    async fn send_batch(&mut self) -> Outcome {
        let now = self.clock.now();
        let (batch, stale): (Vec<Told>, Vec<Told>) = self
            .queue
            .take(BATCH)
            .into_iter()
            .partition(|told| now.since(told.at) < AGE_MAX);
        self.queue.meters.dropped().inc_by(stale.len() as u64);
        if batch.is_empty() {
            return Outcome::Settled;
        }
        let answer = self.post(&batch).await;
        self.settle(batch, answer)
    }

    async fn post(&mut self, batch: &[Told]) -> Result<reqwest::Response, BoxError> {
        let session_id = self.session.id(self.clock.now());
        let body: Vec<Body<'_>> = batch
            .iter()
            .map(|told| Body::of(told, session_id, &self.system))
            .collect();
        let request = self
            .client
            .post(&self.url)
            .header("App-Key", self.app_key.expose_secret())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(serde_json::to_vec(&body)?);
        Ok(request.send().await?)
    }

    fn settle(&mut self, batch: Vec<Told>, answer: Result<reqwest::Response, BoxError>) -> Outcome {
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                debug!(
                    error = &*error,
                    "Aptabase cannot be reached; trying again later"
                );
                self.queue.give_back(batch);
                return Outcome::Later(None);
            }
        };
        let (status, events) = (response.status(), batch.len() as u64);
        match meaning(status) {
            Meaning::Taken => {
                self.queue.meters.sent().inc_by(events);
                (self.failures, self.has_warned) = (0, false);
                Outcome::Settled
            }
            Meaning::Refused => {
                self.queue.meters.refused().inc_by(events);
                if !std::mem::replace(&mut self.has_warned, true) {
                    warn!(%status, "Aptabase refuses our events: check APTABASE_APP_KEY and its host");
                }
                Outcome::Settled
            }
            Meaning::Later => {
                debug!(%status, "Aptabase takes no events for now; trying again later");
                self.queue.give_back(batch);
                Outcome::Later(retry_after(&response))
            }
        }
    }
}

fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}
