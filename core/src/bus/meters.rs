//! What the bus shows to Prometheus.

use prometheus::{IntCounter, IntGauge};

use crate::metrics::Metrics;

/// The bus's metrics.
pub(super) struct Meters {
    /// Calls of `publish`.
    pub(super) published: IntCounter,
    /// Events from other processes.
    pub(super) received: IntCounter,
    /// Events put into subscribers' queues.
    pub(super) delivered: IntCounter,
    /// Events dropped because their subscriber did not keep up.
    pub(super) dropped_by_reader: IntCounter,
    /// Events that did not get out of this process.
    pub(super) dropped_by_sender: IntCounter,
    /// Times that a subscriber was told `Lost`.
    pub(super) lost: IntCounter,
    /// Whether events of other processes arrive.
    pub(super) connected: IntGauge,
    /// Subscriptions held.
    pub(super) subscriptions: IntGauge,
}

impl Meters {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let events = metrics.counters(
            "halobestie_bus_events_total",
            "Bus events published here, received from other processes, delivered to subscribers here.",
            &["event"],
        );
        let dropped = metrics.counters(
            "halobestie_bus_dropped_total",
            "Bus events dropped: by a subscriber that was too slow, or before they got out of here.",
            &["by"],
        );
        Self {
            published: events.with_label_values(&["published"]),
            received: events.with_label_values(&["received"]),
            delivered: events.with_label_values(&["delivered"]),
            dropped_by_reader: dropped.with_label_values(&["reader"]),
            dropped_by_sender: dropped.with_label_values(&["sender"]),
            lost: metrics.counter(
                "halobestie_bus_lost_total",
                "Times that a subscriber was told that it may have missed events.",
            ),
            connected: metrics.gauge(
                "halobestie_bus_connected",
                "1 while bus events of other processes arrive.",
            ),
            subscriptions: metrics.gauge("halobestie_bus_subscriptions", "Bus subscriptions held."),
        }
    }
}
