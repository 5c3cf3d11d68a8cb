//! The module's metrics.

use std::time::Duration;

use halobestie_core::metrics::Metrics;
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge};

/// Who answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnsweredBy {
    /// The mirror.
    Mirror,
    /// Postgres.
    Postgres,
}

/// What Prometheus is told.
pub struct Meters {
    beacon_answers: IntCounterVec,
    /// The answers that were a copy, at hand: this is the hottest path there is.
    beacon_copies: IntCounter,
    beacon_computations: IntCounter,
    fallbacks: IntCounterVec,
    mirror_errors: IntCounterVec,
    heartbeats: IntCounterVec,
    reseeds: IntCounterVec,
    drift_healed: IntCounter,
    drift_last: IntGauge,
    online: IntGauge,
    oldest_heartbeat_seconds: Gauge,
}

impl Meters {
    /// Registers everything.
    pub fn new(metrics: &Metrics) -> Self {
        let beacon_answers = metrics.counters(
            "halobestie_availability_beacon_answers_total",
            "Answers of the beacon by where they came from.",
            &["source"],
        );
        Self {
            beacon_copies: beacon_answers.with_label_values(&["copy"]),
            beacon_answers,
            beacon_computations: metrics.counter(
                "halobestie_availability_beacon_computations_total",
                "How often available mitras were counted for the beacon.",
            ),
            fallbacks: metrics.counters(
                "halobestie_availability_fallback_reads_total",
                "Reads that went to Postgres because the mirror did not answer.",
                &["operation"],
            ),
            mirror_errors: metrics.counters(
                "halobestie_availability_mirror_errors_total",
                "Reads and writes of the mirror that failed.",
                &["operation"],
            ),
            heartbeats: metrics.counters(
                "halobestie_availability_heartbeats_total",
                "Heartbeats by who took them.",
                &["by"],
            ),
            reseeds: metrics.counters(
                "halobestie_availability_reseeds_total",
                "Reseeds of the mirror by outcome.",
                &["outcome"],
            ),
            drift_healed: metrics.counter(
                "halobestie_availability_drift_healed_total",
                "Mitras that a reseed found shown differently from Postgres.",
            ),
            drift_last: metrics.gauge(
                "halobestie_availability_drift_last_reseed",
                "Mitras that the last reseed found shown differently from Postgres.",
            ),
            online: metrics.gauge(
                "halobestie_availability_online_mitras",
                "Online mitras at the last sweep.",
            ),
            oldest_heartbeat_seconds: metrics.float_gauge(
                "halobestie_availability_oldest_heartbeat_seconds",
                "Age of the oldest heartbeat of an online mitra at the last sweep.",
            ),
        }
    }

    pub(crate) fn beacon_copy(&self) {
        self.beacon_copies.inc();
    }

    pub(crate) fn beacon_answer(&self, source: &str) {
        self.beacon_answers.with_label_values(&[source]).inc();
    }

    pub(crate) fn beacon_computation(&self) {
        self.beacon_computations.inc();
    }

    pub(crate) fn fallback(&self, operation: &'static str) {
        self.fallbacks.with_label_values(&[operation]).inc();
    }

    pub(crate) fn mirror_error(&self, operation: &'static str) {
        self.mirror_errors.with_label_values(&[operation]).inc();
    }

    pub(crate) fn heartbeat(&self, by: AnsweredBy) {
        let by = match by {
            AnsweredBy::Mirror => "mirror",
            AnsweredBy::Postgres => "postgres",
        };
        self.heartbeats.with_label_values(&[by]).inc();
    }

    pub(crate) fn reseeded(&self, healed: u64) {
        self.reseeds.with_label_values(&["ok"]).inc();
        self.drift_healed.inc_by(healed);
        self.drift_last
            .set(i64::try_from(healed).unwrap_or(i64::MAX));
    }

    pub(crate) fn reseed_failed(&self) {
        self.reseeds.with_label_values(&["failed"]).inc();
    }

    pub(crate) fn seen_online(&self, mitras: usize, oldest_heartbeat: Duration) {
        self.online.set(i64::try_from(mitras).unwrap_or(i64::MAX));
        self.oldest_heartbeat_seconds
            .set(oldest_heartbeat.as_secs_f64());
    }
}
