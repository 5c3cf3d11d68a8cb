//! How many calls may be under way, and whether any may be made at all.
//!
//! A Fazpass that hangs must not hold hundreds of requests, and one that is away must not cost each
//! of them a deadline. After a few failures in a row nobody is let through for a while; then one call
//! tries for all.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::clock::Clock;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Calls under way at once, of this process.
const CALLS_MAX: usize = 32;
/// Failures in a row that close the gate.
const FAILURES_MAX: u32 = 5;
/// How long it stays closed, and how long one try for all may take before another is let through.
const PAUSE: Duration = Duration::from_secs(10);
/// When to come back to a full house.
const FULL_RETRY: Duration = Duration::from_secs(1);

/// Why no call is made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Closed {
    /// Too many are under way.
    #[error("{CALLS_MAX} calls to Fazpass are under way")]
    Full,
    /// Too many have failed.
    #[error("calls to Fazpass failed one after another")]
    Pausing(Duration),
}

impl Closed {
    /// When to try again.
    pub(crate) const fn retry_after(&self) -> Duration {
        match self {
            Self::Full => FULL_RETRY,
            Self::Pausing(wait) => *wait,
        }
    }
}

/// The gate.
pub(crate) struct Gate {
    clock: Clock,
    places: Semaphore,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    failures: u32,
    closed_until: Option<Timestamp>,
}

impl Gate {
    /// A gate that is open.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            places: Semaphore::new(CALLS_MAX),
            record: Mutex::default(),
        }
    }

    /// Lets a call through, or says why not. Nobody waits here.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn enter(&self) -> Result<Pass<'_>, Closed> {
        let place = self.places.try_acquire().map_err(|_| Closed::Full)?;
        let now = self.clock.now();
        let mut record = self.record();
        if let Some(until) = record.closed_until {
            if until > now {
                return Err(Closed::Pausing(until.since(now)));
            }
            // This call tries for all; the others wait for what it finds.
            record.closed_until = Some(now + PAUSE);
        }
        Ok(Pass {
            gate: self,
            _place: place,
        })
    }

    /// Whether calls are let through.
    pub(crate) fn is_open(&self) -> bool {
        let now = self.clock.now();
        self.record().closed_until.is_none_or(|until| until <= now)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way. One that is dropped without a word, because its caller went away, says nothing.
pub(crate) struct Pass<'a> {
    gate: &'a Gate,
    _place: SemaphorePermit<'a>,
}

impl Pass<'_> {
    /// Fazpass has answered, whatever it said.
    pub(crate) fn answered(self) {
        *self.gate.record() = Record::default();
    }

    /// Fazpass could not be reached, or is broken.
    pub(crate) fn failed(self) {
        let now = self.gate.clock.now();
        let mut record = self.gate.record();
        record.failures = record.failures.saturating_add(1);
        if record.failures >= FAILURES_MAX {
            record.closed_until = Some(now + PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::new(Clock::manual(Timestamp::from_unix_ms(0)))
    }

    fn fail(gate: &Gate, times: u32) {
        for _ in 0..times {
            gate.enter().unwrap().failed();
        }
    }

    #[test]
    fn failures_in_a_row_close_it_and_an_answer_between_does_not() {
        let gate = gate();
        fail(&gate, FAILURES_MAX - 1);
        gate.enter().unwrap().answered();
        fail(&gate, FAILURES_MAX - 1);
        assert!(gate.is_open());
        fail(&gate, 1);
        assert!(!gate.is_open());
        assert_eq!(gate.enter().err(), Some(Closed::Pausing(PAUSE)));
    }

    #[test]
    fn after_the_pause_one_tries_for_all() {
        let gate = gate();
        fail(&gate, FAILURES_MAX);
        gate.clock.advance(PAUSE);
        let trial = gate.enter().unwrap();
        assert!(matches!(gate.enter(), Err(Closed::Pausing(_))));
        trial.failed();
        assert!(!gate.is_open());
        gate.clock.advance(PAUSE);
        gate.enter().unwrap().answered();
        assert!(gate.enter().is_ok() && gate.is_open());
    }

    #[test]
    fn a_try_whose_caller_went_away_is_followed_by_another() {
        let gate = gate();
        fail(&gate, FAILURES_MAX);
        gate.clock.advance(PAUSE);
        drop(gate.enter().unwrap());
        assert!(gate.enter().is_err());
        gate.clock.advance(PAUSE);
        assert!(gate.enter().is_ok());
    }

    #[test]
    fn no_more_than_a_houseful_at_once() {
        let gate = gate();
        let mut inside: Vec<Pass<'_>> = (0..CALLS_MAX).map(|_| gate.enter().unwrap()).collect();
        assert_eq!(gate.enter().err(), Some(Closed::Full));
        inside.pop();
        assert!(gate.enter().is_ok());
    }
}
