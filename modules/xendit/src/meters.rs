//! The module's metrics.

use halobestie_core::metrics::Metrics;
use halobestie_core::ports::PaymentStatus;
use prometheus::{HistogramTimer, HistogramVec, IntCounter, IntCounterVec};

use crate::gateway::GatewayError;

/// What Prometheus is told. Clones share it.
#[derive(Clone)]
pub(crate) struct Meters {
    calls: IntCounterVec,
    call_seconds: HistogramVec,
    /// Webhooks that were taken in, by what was made of them: stored, repeated, refused.
    pub(crate) webhooks: IntCounterVec,
    /// Events that were read, by what became of them.
    pub(crate) events: IntCounterVec,
    /// Changes of payments, by the status that they led to.
    payments: IntCounterVec,
    /// What the comparison with Xendit found before any webhook told of it.
    pub(crate) found: IntCounterVec,
    /// Paid at Xendit and unknown here.
    pub(crate) strays: IntCounter,
    /// Refunds, by where they went.
    pub(crate) refunds: IntCounterVec,
}

impl Meters {
    /// Registers everything.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            calls: metrics.counters(
                "halobestie_xendit_calls_total",
                "Calls to Xendit, by operation and outcome.",
                &["operation", "outcome"],
            ),
            call_seconds: metrics.histograms(
                "halobestie_xendit_call_seconds",
                "Time of a call to Xendit, answered or not.",
                &["operation"],
            ),
            webhooks: metrics.counters(
                "halobestie_payment_webhooks_total",
                "Webhooks that came in, by what was made of them.",
                &["outcome"],
            ),
            events: metrics.counters(
                "halobestie_payment_events_total",
                "Events of webhooks that were read, by what became of them.",
                &["outcome"],
            ),
            payments: metrics.counters(
                "halobestie_payments_total",
                "Changes of payments, by the status that they led to.",
                &["status"],
            ),
            found: metrics.counters(
                "halobestie_payments_found_total",
                "Payments that were settled by asking Xendit, by what was found there.",
                &["found"],
            ),
            strays: metrics.counter(
                "halobestie_payment_strays_total",
                "Invoices that are paid at Xendit and unknown here.",
            ),
            refunds: metrics.counters(
                "halobestie_refunds_total",
                "Changes of refunds, by the status that they led to.",
                &["status"],
            ),
        }
    }

    /// Times a call until the returned is dropped.
    pub(crate) fn time_call(&self, operation: &str) -> HistogramTimer {
        self.call_seconds
            .with_label_values(&[operation])
            .start_timer()
    }

    /// Counts a change of a payment.
    pub(crate) fn count_payment(&self, status: PaymentStatus) {
        let label = status.as_str();
        self.payments.with_label_values(&[label]).inc();
    }

    /// Counts a call.
    pub(crate) fn count_call<T>(&self, operation: &str, outcome: &Result<T, GatewayError>) {
        let label = match outcome {
            Ok(_) => "ok",
            Err(GatewayError::Busy { .. }) => "busy",
            Err(GatewayError::Refused { .. }) => "refused",
            Err(GatewayError::Unsent(_)) => "unreachable",
            Err(GatewayError::Unclear { .. }) => "unclear",
        };
        self.calls.with_label_values(&[operation, label]).inc();
    }
}
