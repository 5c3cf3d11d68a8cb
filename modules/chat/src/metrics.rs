//! What this module counts.

use halobestie_core::metrics::Metrics;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge};

/// The module's metrics.
pub(crate) struct ChatMetrics {
    /// Sockets that are signed in.
    pub(crate) sockets: IntGauge,
    /// Sockets that we closed, by code.
    pub(crate) closed: IntCounterVec,
    /// Messages written.
    pub(crate) messages: IntCounter,
    /// Messages that wait to be written, or are being written.
    pub(crate) waiting: IntGauge,
    /// How many messages shared a commit.
    pub(crate) groups: Histogram,
    /// Accepts by how they ended: `won`, `again`, or the error's code.
    pub(crate) accepts: IntCounterVec,
    /// Gaps that a socket saw and filled from Postgres.
    pub(crate) gaps: IntCounter,
    /// Events that catch-up found missing, by kind.
    pub(crate) caught_up: IntCounterVec,
}

impl ChatMetrics {
    /// Registers them.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            sockets: metrics.gauge("halobestie_chat_sockets", "Signed-in WebSockets."),
            closed: metrics.counters(
                "halobestie_chat_closed_total",
                "WebSockets that the server closed, by code.",
                &["code"],
            ),
            messages: metrics.counter("halobestie_chat_messages_total", "Messages written."),
            waiting: metrics.gauge(
                "halobestie_chat_waiting_messages",
                "Messages that wait for their commit.",
            ),
            groups: metrics.histogram_of(
                "halobestie_chat_group_messages",
                "Messages written by one statement.",
                &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0],
            ),
            accepts: metrics.counters(
                "halobestie_chat_accepts_total",
                "Accepts of offers, by outcome.",
                &["outcome"],
            ),
            gaps: metrics.counter(
                "halobestie_chat_gaps_total",
                "Gaps in a session's numbers that a socket filled from Postgres.",
            ),
            caught_up: metrics.counters(
                "halobestie_chat_caught_up_total",
                "Events that the bus lost and catch-up found in Postgres, by kind.",
                &["kind"],
            ),
        }
    }
}
