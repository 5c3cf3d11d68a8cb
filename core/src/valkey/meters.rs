//! What Valkey's client shows to Prometheus.

use prometheus::{Histogram, HistogramTimer, IntCounter, IntCounterVec, IntGauge};

use super::ValkeyError;
use crate::metrics::Metrics;

/// The client's metrics.
pub(super) struct Meters {
    commands: IntCounter,
    seconds: Histogram,
    errors: IntCounterVec,
    circuit_open: IntGauge,
}

impl Meters {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let meters = Self {
            commands: metrics.counter(
                "halobestie_valkey_commands_total",
                "Commands sent to Valkey.",
            ),
            seconds: metrics.histogram(
                "halobestie_valkey_command_seconds",
                "Time from asking Valkey for a command or a pipeline to its answer or failure.",
            ),
            errors: metrics.counters(
                "halobestie_valkey_errors_total",
                "Valkey calls that failed, those refused by the open circuit included.",
                &["kind"],
            ),
            circuit_open: metrics.gauge(
                "halobestie_valkey_circuit_open",
                "1 while commands are not being sent.",
            ),
        };
        meters.show_circuit(false);
        meters
    }

    /// Counts commands; their time is taken until the timer is dropped.
    pub(super) fn start(&self, commands: usize) -> HistogramTimer {
        self.commands.inc_by(commands as u64);
        self.seconds.start_timer()
    }

    pub(super) fn count_error(&self, error: &ValkeyError) {
        self.errors.with_label_values(&[error.kind()]).inc();
    }

    pub(super) fn show_circuit(&self, closed: bool) {
        self.circuit_open.set(i64::from(!closed));
    }
}
