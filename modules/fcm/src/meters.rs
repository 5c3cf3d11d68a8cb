//! The module's metrics. What waits, for how long, and how often it was tried is told by the queue's own,
//! under the kinds `tell-devices` and `send-push`.

use std::time::Duration;

use halobestie_core::metrics::Metrics;
use halobestie_core::ports::News;
use prometheus::{Histogram, HistogramTimer, IntCounter, IntCounterVec};

/// What Prometheus is told.
pub(crate) struct Meters {
    queued: IntCounterVec,
    sent: IntCounterVec,
    failed: IntCounterVec,
    dropped: IntCounterVec,
    deleted: IntCounterVec,
    refreshes: IntCounterVec,
    held: IntCounter,
    call_seconds: Histogram,
    event_seconds: Histogram,
}

/// Why a push was not sent, without a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// The device is signed out, or somebody else's.
    NoDevice,
    /// All was read meanwhile, or the offer taken.
    NoNews,
}

/// Why a token was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// FCM says so.
    Dead,
    /// Its sign-in session is over.
    SignedOut,
}

impl Meters {
    /// Registers everything.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let counters = |name, help, labels| metrics.counters(name, help, labels);
        Self {
            queued: counters(
                "halobestie_fcm_queued_total",
                "Pushes queued, one a device, by what they are about.",
                &["type"],
            ),
            sent: counters(
                "halobestie_fcm_sent_total",
                "Pushes that FCM has taken, by what they are about.",
                &["type"],
            ),
            failed: counters(
                "halobestie_fcm_failed_total",
                "Calls that FCM has not taken, by its code; NO_ANSWER and NO_ACCESS are ours.",
                &["code"],
            ),
            dropped: counters(
                "halobestie_fcm_dropped_total",
                "Pushes without a call: no_device, or no_news where all was read meanwhile.",
                &["reason"],
            ),
            deleted: counters(
                "halobestie_fcm_tokens_deleted_total",
                "Device tokens deleted: dead by FCM's word, or signed_out.",
                &["reason"],
            ),
            refreshes: counters(
                "halobestie_fcm_access_refreshes_total",
                "Access tokens asked of Google, by outcome.",
                &["outcome"],
            ),
            held: metrics.counter(
                "halobestie_fcm_held_total",
                "Times that all calls were held back because FCM turned them away.",
            ),
            call_seconds: metrics.histogram(
                "halobestie_fcm_call_seconds",
                "Time of a call to FCM, answered or not.",
            ),
            event_seconds: metrics.histogram(
                "halobestie_fcm_event_to_answer_seconds",
                "Time from what happened (for messages: from their due time) to FCM's answer.",
            ),
        }
    }

    /// Times a call until the returned is dropped.
    pub(crate) fn start(&self) -> HistogramTimer {
        self.call_seconds.start_timer()
    }

    /// Counts a push that was queued.
    pub(crate) fn count_queued(&self, news: &News) {
        self.queued.with_label_values(&[news.name()]).inc();
    }

    /// Counts a push that FCM has taken, so long after what it tells was due.
    pub(crate) fn count_sent(&self, news: &News, after: Duration) {
        self.sent.with_label_values(&[news.name()]).inc();
        self.event_seconds.observe(after.as_secs_f64());
    }

    /// Counts a call that was not taken.
    pub(crate) fn count_failed(&self, code: &str) {
        self.failed.with_label_values(&[code]).inc();
    }

    /// Counts a push for which there was no call.
    pub(crate) fn count_dropped(&self, why: Dropped) {
        let label = match why {
            Dropped::NoDevice => "no_device",
            Dropped::NoNews => "no_news",
        };
        self.dropped.with_label_values(&[label]).inc();
    }

    /// Counts tokens that were deleted.
    pub(crate) fn count_deleted(&self, why: Deleted, tokens: u64) {
        let label = match why {
            Deleted::Dead => "dead",
            Deleted::SignedOut => "signed_out",
        };
        self.deleted.with_label_values(&[label]).inc_by(tokens);
    }

    /// Counts an access token that was asked for.
    pub(crate) fn count_refresh(&self, is_given: bool) {
        let label = if is_given { "given" } else { "failed" };
        self.refreshes.with_label_values(&[label]).inc();
    }

    /// Counts that calls are held back from now.
    pub(crate) fn count_held(&self) {
        self.held.inc();
    }
}
