//! The way in: an event with its instant, and nowhere to put one.

use std::sync::Arc;

use halobestie_core::clock::Clock;
use halobestie_core::ports::{Analytics, AnalyticsEvent};
use halobestie_core::{Context, Timestamp};

use crate::queue::Queue;

/// An event and when it happened.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at: Timestamp,
    pub(crate) event: AnalyticsEvent,
}

/// Puts events where they wait to be sent.
pub(crate) struct Teller {
    queue: Arc<Queue>,
    clock: Clock,
}

impl Teller {
    pub(crate) fn new(queue: Arc<Queue>, cx: &Context) -> Self {
        let clock = cx.clock.clone();
        Self { queue, clock }
    }
}

impl Analytics for Teller {
    fn tell(&self, event: AnalyticsEvent) {
        let at = self.clock.now();
        self.queue.push(Told { at, event });
    }
}

/// Nothing is counted.
pub(crate) struct Nowhere;

impl Analytics for Nowhere {
    fn tell(&self, _: AnalyticsEvent) {}
}
