//! The module's metrics.

use halobestie_core::metrics::Metrics;
use prometheus::{IntCounter, IntCounterVec};

/// What became of events.
#[derive(Clone)]
pub(crate) struct Meters(IntCounterVec);

impl Meters {
    /// Registers everything.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self(metrics.counters(
            "halobestie_analytics_events_total",
            "Events that were told, by what became of them.",
            &["outcome"],
        ))
    }

    /// Aptabase took them.
    pub(crate) fn sent(&self) -> IntCounter {
        self.0.with_label_values(&["sent"])
    }

    /// Aptabase does not want them.
    pub(crate) fn refused(&self) -> IntCounter {
        self.0.with_label_values(&["refused"])
    }

    /// There was no room for them, or no time.
    pub(crate) fn dropped(&self) -> IntCounter {
        self.0.with_label_values(&["dropped"])
    }
}
