//! The figures of the queue.

use prometheus::{GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec};

use crate::metrics::Metrics;

/// The figures of the queue. Clones share them.
#[derive(Clone)]
pub(super) struct Meters {
    /// Enqueued by this process.
    pub(super) enqueued: IntCounterVec,
    /// Attempts that this process ended, by what became of the job.
    pub(super) ended: IntCounterVec,
    /// From due to begun.
    pub(super) wait_seconds: HistogramVec,
    /// From begun to ended.
    pub(super) attempt_seconds: HistogramVec,
    /// Taken over from a worker that was lost.
    pub(super) recovered: IntCounterVec,
    /// Rows by state, as the sweep last saw them.
    pub(super) rows: IntGaugeVec,
    /// How long the longest due has been waiting, as the sweep last saw it.
    pub(super) oldest_seconds: GaugeVec,
}

impl Meters {
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self {
            enqueued: metrics.counters(
                "halobestie_jobs_enqueued_total",
                "Jobs enqueued by this process.",
                &["kind"],
            ),
            ended: metrics.counters(
                "halobestie_jobs_attempts_total",
                "Attempts at jobs by outcome: done, retry, not_yet, given_back, late, dead.",
                &["kind", "outcome"],
            ),
            wait_seconds: metrics.histograms(
                "halobestie_jobs_wait_seconds",
                "Time from when a job was due to the beginning of its attempt.",
                &["kind"],
            ),
            attempt_seconds: metrics.histograms(
                "halobestie_jobs_attempt_seconds",
                "Duration of attempts at jobs.",
                &["kind"],
            ),
            recovered: metrics.counters(
                "halobestie_jobs_recovered_total",
                "Jobs taken over after the lease of a worker that was lost.",
                &["kind"],
            ),
            rows: metrics.gauges(
                "halobestie_jobs",
                "Jobs in the queue by state: waiting, running, dead.",
                &["kind", "state"],
            ),
            oldest_seconds: metrics.float_gauges(
                "halobestie_jobs_oldest_due_seconds",
                "For how long the job has been due that has been due longest.",
                &["kind"],
            ),
        }
    }
}
