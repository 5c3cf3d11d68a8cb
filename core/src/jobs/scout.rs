//! The scout of a process: hears on the bus of new jobs, looks once a second for what nobody told of,
//! and tells the pumps of the kinds.
//!
//! One statement a second for all kinds finds what the bus lost, what was enqueued by a process that
//! died before it told, and what a lost worker had.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tracing::debug;

use super::queue::TOPIC;
use super::store;
use crate::bus::{Event, Subscription};
use crate::clock::Clock;
use crate::lifecycle::Lifecycle;
use crate::module::Context;
use crate::pg::Db;
use crate::problem::BoxError;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// Tells pumps that there may be something.
pub(super) struct Scout {
    db: Db,
    clock: Clock,
    lifecycle: Lifecycle,
    told: Subscription,
    kinds: BTreeMap<&'static str, Arc<Notify>>,
}

impl Scout {
    /// Listens from now on.
    pub(super) fn new(cx: &Context) -> Self {
        Self {
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            lifecycle: cx.lifecycle.clone(),
            told: cx.bus.subscribe(TOPIC),
            kinds: BTreeMap::new(),
        }
    }

    /// What a pump of this kind waits for.
    pub(super) fn news_of(&mut self, kind: &'static str) -> Arc<Notify> {
        self.kinds.entry(kind).or_default().clone()
    }

    /// Scouts until the process stops.
    pub(super) async fn run(mut self) -> Result<(), BoxError> {
        let mut next_look = self.clock.now() + EVERY;
        loop {
            tokio::select! {
                () = self.lifecycle.soft().cancelled() => return Ok(()),
                event = self.told.next() => self.pass_on(&event),
                () = self.clock.sleep_until(next_look) => {
                    self.look().await;
                    next_look = self.clock.now() + EVERY;
                }
            }
        }
    }

    fn pass_on(&self, event: &Event) {
        match event {
            Event::Message(kind) => {
                let kind = std::str::from_utf8(kind).unwrap_or_default();
                // Other processes may know kinds that this one does not.
                if let Some(news) = self.kinds.get(kind) {
                    news.notify_one();
                }
            }
            Event::Lost => self.kinds.values().for_each(|news| news.notify_one()),
        }
    }

    async fn look(&self) {
        let kinds: Vec<&str> = self.kinds.keys().copied().collect();
        match store::kinds_due(&self.db, &kinds, self.clock.now()).await {
            Ok(due) => {
                let due = due.iter().filter_map(|kind| self.kinds.get(kind.as_str()));
                due.for_each(|news| news.notify_one());
            }
            Err(error) => debug!(
                error = &error as &dyn std::error::Error,
                "cannot look for jobs that are due"
            ),
        }
    }
}
