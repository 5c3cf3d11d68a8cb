//! What this module counts.

use halobestie_core::metrics::Metrics;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge};

/// Seconds that a customer waits: up to the longest that a request can be configured to live, roughly.
const WAITING_BUCKETS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 900.0, 3600.0,
];

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
    /// Sockets that wait for what they have to know.
    pub(crate) arriving: IntGauge,
    /// How many messages shared a commit.
    pub(crate) groups: Histogram,
    /// Accepts by how they ended: `won`, `again`, or the error's code.
    pub(crate) accepts: IntCounterVec,
    /// From a request to its accept.
    pub(crate) accept_seconds: Histogram,
    /// Offers made.
    pub(crate) offers: IntCounter,
    /// Pairs of a request and a mitra that were put to Postgres to find who was not asked yet.
    pub(crate) pairs_considered: IntCounter,
    /// Reports made.
    pub(crate) reports: IntCounter,
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
            arriving: metrics.gauge(
                "halobestie_chat_arriving_sockets",
                "Sockets that wait for what they missed.",
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
            accept_seconds: metrics.histogram_of(
                "halobestie_chat_accept_seconds",
                "From a customer's request to its accept.",
                WAITING_BUCKETS,
            ),
            offers: metrics.counter("halobestie_chat_offers_total", "Offers made to mitras."),
            pairs_considered: metrics.counter(
                "halobestie_chat_pairs_considered_total",
                "Pairs of a request and a mitra looked at to find who was not asked yet.",
            ),
            reports: metrics.counter("halobestie_chat_reports_total", "Reports of people."),
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
