//! The module's metrics.

use halobestie_core::metrics::Metrics;
use prometheus::{IntCounterVec, IntGauge};

use crate::limits::Limit;

/// What Prometheus is told.
pub(crate) struct Meters {
    codes: IntCounterVec,
    limited: IntCounterVec,
    /// Refreshes that wait to be written, or are being written.
    pub(crate) refreshes_waiting: IntGauge,
}

/// What became of a request for a code that was granted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// A message went out.
    Sent,
    /// The code is fixed.
    Bypass,
    /// The carrier said no; given back.
    Refused,
    /// The carrier was away; given back.
    Unavailable,
    /// The carrier's answer was lost; counted.
    Unknown,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Bypass => "bypass",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
        }
    }
}

impl Meters {
    /// Registers everything.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            codes: metrics.counters(
                "halobestie_auth_codes_total",
                "Requests for a one-time code that were granted, by what became of them.",
                &["outcome"],
            ),
            limited: metrics.counters(
                "halobestie_auth_codes_limited_total",
                "Requests for a one-time code that were refused, by limit.",
                &["limit"],
            ),
            refreshes_waiting: metrics.gauge(
                "halobestie_auth_waiting_refreshes",
                "Refreshes that wait for their commit.",
            ),
        }
    }

    /// Counts a request that was granted.
    pub(crate) fn count(&self, outcome: Outcome) {
        self.codes.with_label_values(&[outcome.as_str()]).inc();
    }

    /// Counts a request that was refused.
    pub(crate) fn count_limited(&self, by: Limit) {
        self.limited.with_label_values(&[by.as_str()]).inc();
    }
}
