//! What one round has seen: how long operations took, how many failed and why, and how late the
//! generator itself was.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::results::Latency;

/// The longest that is told apart, in microseconds: two minutes.
const LONGEST_US: u64 = 120_000_000;
/// Figures are right to three digits.
const DIGITS: u8 = 3;
/// Where a distribution is drawn.
const CURVE: [f64; 12] = [
    0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 97.5, 99.0, 99.5, 99.9, 99.99, 100.0,
];

/// A distribution of times.
pub(crate) struct Times(Histogram<u64>);

impl Times {
    /// None yet.
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, DIGITS);
        #[expect(clippy::expect_used, reason = "the bounds are constants that fit")]
        Self(histogram.expect("1 and two minutes are bounds"))
    }

    /// Adds one.
    pub(crate) fn add(&mut self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(LONGEST_US);
        // Longer than the longest counts as the longest.
        self.0.saturating_record(us);
    }

    /// What is told of it; nothing of none.
    pub(crate) fn latency(&self) -> Option<Latency> {
        if self.0.is_empty() {
            return None;
        }
        let at = |percentile| self.0.value_at_percentile(percentile);
        Some(Latency {
            p50_us: at(50.0),
            p90_us: at(90.0),
            p99_us: at(99.0),
            p999_us: at(99.9),
            max_us: self.0.max(),
            curve: CURVE.iter().map(|it| (*it, at(*it))).collect(),
        })
    }
}

/// What a round has seen.
pub(crate) struct Seen {
    /// From the intended time of an operation to its end.
    pub(crate) times: Times,
    /// How long after it should have sent something the generator did, where nothing but itself kept it.
    pub(crate) lateness: Times,
    /// Operations that ended as they should.
    pub(crate) done: u64,
    /// The others, by what went wrong.
    pub(crate) failures: BTreeMap<String, u64>,
    /// The times by kind of operation, where a scenario has several.
    pub(crate) by_kind: BTreeMap<&'static str, Times>,
}

impl Seen {
    fn nothing() -> Self {
        Self {
            times: Times::new(),
            lateness: Times::new(),
            done: 0,
            failures: BTreeMap::new(),
            by_kind: BTreeMap::new(),
        }
    }
}

/// Shared by all tasks of a round; they run on one thread.
#[derive(Clone)]
pub(crate) struct Recorder {
    seen: Rc<RefCell<Seen>>,
    kind: Option<&'static str>,
}

impl Recorder {
    /// Nothing seen yet.
    pub(crate) fn new() -> Self {
        Self {
            seen: Rc::new(RefCell::new(Seen::nothing())),
            kind: None,
        }
    }

    /// The same, for operations of one kind: their times are kept apart as well.
    pub(crate) fn of(&self, kind: &'static str) -> Self {
        Self {
            seen: self.seen.clone(),
            kind: Some(kind),
        }
    }

    /// An operation that was to be sent at `intended` has just ended well.
    pub(crate) fn done(&self, intended: Instant) {
        let mut seen = self.seen.borrow_mut();
        let time = intended.elapsed();
        seen.times.add(time);
        seen.done += 1;
        if let Some(kind) = self.kind {
            seen.by_kind
                .entry(kind)
                .or_insert_with(Times::new)
                .add(time);
        }
    }

    /// An operation has failed. Its time is not counted: a refusal is quick.
    pub(crate) fn failed(&self, why: impl Into<String>) {
        *self
            .seen
            .borrow_mut()
            .failures
            .entry(why.into())
            .or_default() += 1;
    }

    /// Something is being sent that could have been sent since `possible`.
    pub(crate) fn sending(&self, possible: Instant) {
        self.seen.borrow_mut().lateness.add(possible.elapsed());
    }

    /// What was seen so far; the next round begins with nothing.
    pub(crate) fn take(&self) -> Seen {
        self.seen.replace(Seen::nothing())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn percentiles_are_those_of_what_was_added() {
        let mut times = Times::new();
        assert!(times.latency().is_none());
        for count in 1..=1000 {
            times.add(ms(count));
        }
        let latency = times.latency().unwrap();
        let near = |found: u64, expected: u64| found.abs_diff(expected) * 1000 <= expected * 2;
        assert!(near(latency.p50_us, 500_000), "{latency:?}");
        assert!(near(latency.p99_us, 990_000), "{latency:?}");
        assert!(near(latency.max_us, 1_000_000), "{latency:?}");
        assert!(latency.curve.is_sorted_by_key(|(_, us)| *us));
    }

    #[test]
    fn a_time_beyond_the_longest_is_the_longest() {
        let mut times = Times::new();
        times.add(Duration::from_secs(3600));
        assert!(times.latency().unwrap().max_us >= LONGEST_US);
    }

    #[test]
    fn an_operation_is_timed_from_when_it_was_intended() {
        let recorder = Recorder::new();
        let Some(long_ago) = Instant::now().checked_sub(ms(50)) else {
            return;
        };
        recorder.done(long_ago);
        recorder.failed("status 503");
        recorder.failed("status 503");
        let seen = recorder.take();
        assert!(seen.times.latency().unwrap().p50_us >= 50_000);
        assert_eq!(seen.done, 1);
        assert_eq!(seen.failures["status 503"], 2);
        assert_eq!(recorder.take().done, 0, "what was seen is taken");
    }
}
