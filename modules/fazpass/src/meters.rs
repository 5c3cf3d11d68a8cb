//! The module's metrics.

use halobestie_core::metrics::Metrics;
use halobestie_core::ports::NotCarried;
use prometheus::{Histogram, HistogramTimer, IntCounterVec};

/// What Prometheus is told.
pub(crate) struct Meters {
    messages: IntCounterVec,
    call_seconds: Histogram,
    reconnects: IntCounterVec,
}

impl Meters {
    /// Registers everything.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            messages: metrics.counters(
                "halobestie_fazpass_messages_total",
                "One-time codes given to Fazpass, by what became of them.",
                &["outcome"],
            ),
            call_seconds: metrics.histogram(
                "halobestie_fazpass_call_seconds",
                "Time of a call to Fazpass, answered or not.",
            ),
            reconnects: metrics.counters(
                "halobestie_fazpass_second_connects_total",
                "Calls that could not connect and tried once more, by outcome.",
                &["outcome"],
            ),
        }
    }

    /// Times a call until the returned is dropped.
    pub(crate) fn start(&self) -> HistogramTimer {
        self.call_seconds.start_timer()
    }

    /// Counts what became of a message.
    pub(crate) fn count(&self, outcome: &Result<(), NotCarried>) {
        let label = match outcome {
            Ok(()) => "sent",
            Err(NotCarried::Refused(_)) => "refused",
            Err(NotCarried::Unavailable { .. }) => "unavailable",
            Err(NotCarried::Unknown(_)) => "unknown",
        };
        self.messages.with_label_values(&[label]).inc();
    }

    /// Counts a second try to connect.
    pub(crate) fn count_reconnect(&self, connected: bool) {
        let label = if connected { "connected" } else { "failed" };
        self.reconnects.with_label_values(&[label]).inc();
    }
}
