//! How much is asked of the provider: at most so many calls at a time and a minute, and none for as long
//! as it said.
//!
//! Counted by this process alone: the provider counts for the whole account, and what several processes
//! make too much of comes back as 429, which each of them heeds.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::clock::Clock;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::failure::GatewayError;

/// Calls at a time.
const CALLS_MAX: usize = 8;
/// Calls in any minute.
const PER_MINUTE: usize = 490;
const MINUTE: Duration = Duration::from_secs(60);
/// A pause that the provider names is believed up to here.
const PAUSE_MAX: Duration = Duration::from_secs(120);
/// The pause after a 429 that names none.
const PAUSE: Duration = Duration::from_secs(5);

/// The budget.
pub(super) struct Budget {
    clock: Clock,
    places: Semaphore,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    /// When the calls of the last minute were made.
    made: VecDeque<Timestamp>,
    closed_until: Option<Timestamp>,
}

impl Budget {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            places: Semaphore::new(CALLS_MAX),
            record: Mutex::default(),
        }
    }

    /// A place for one call; waits for one of the others to end.
    ///
    /// # Errors
    /// [`GatewayError::Busy`] when the minute is full, or the provider wants no calls.
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>, GatewayError> {
        let place = self.places.acquire().await;
        let place = place.map_err(|closed| GatewayError::Unsent(closed.into()))?;
        self.spend()?;
        Ok(place)
    }

    fn spend(&self) -> Result<(), GatewayError> {
        let now = self.clock.now();
        let mut record = self.record();
        if let Some(until) = record.closed_until.filter(|until| *until > now) {
            return Err(GatewayError::Busy {
                after: until.since(now),
            });
        }
        while record.made.front().is_some_and(|at| *at + MINUTE <= now) {
            record.made.pop_front();
        }
        if let Some(oldest) = record.made.front()
            && record.made.len() >= PER_MINUTE
        {
            let after = (*oldest + MINUTE).since(now);
            return Err(GatewayError::Busy { after });
        }
        record.made.push_back(now);
        Ok(())
    }

    /// The provider wants no calls for a while; returns for how long.
    pub(super) fn close(&self, named: Option<Duration>) -> Duration {
        let pause = named.unwrap_or(PAUSE).min(PAUSE_MAX);
        self.record().closed_until = Some(self.clock.now() + pause);
        pause
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Budget {
        Budget::new(Clock::manual(Timestamp::from_unix_ms(0)))
    }

    fn wait(budget: &Budget) -> Option<Duration> {
        match budget.spend() {
            Ok(()) => None,
            Err(GatewayError::Busy { after }) => Some(after),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_minute_holds_so_many_calls_and_slides() {
        let budget = budget();
        assert_eq!(wait(&budget), None);
        budget.clock.advance(Duration::from_secs(20));
        for _ in 1..PER_MINUTE {
            assert_eq!(wait(&budget), None);
        }
        assert_eq!(wait(&budget), Some(Duration::from_secs(40)));
        budget.clock.advance(Duration::from_secs(40));
        assert_eq!(wait(&budget), None);
        assert_eq!(wait(&budget), Some(Duration::from_secs(20)));
    }

    #[test]
    fn no_call_is_made_for_as_long_as_the_provider_says() {
        let budget = budget();
        let named = Duration::from_millis(58_370);
        assert_eq!(budget.close(Some(named)), named);
        assert_eq!(wait(&budget), Some(named));
        budget.clock.advance(named);
        assert_eq!(wait(&budget), None);
        assert_eq!(budget.close(None), PAUSE);
        let days = Duration::from_secs(1_000_000);
        assert_eq!(budget.close(Some(days)), PAUSE_MAX);
    }

    #[tokio::test]
    async fn so_many_calls_at_a_time_and_the_next_one_waits() {
        let budget = budget();
        let mut inside = Vec::new();
        for _ in 0..CALLS_MAX {
            inside.push(budget.enter().await.unwrap());
        }
        assert!(futures_util::FutureExt::now_or_never(budget.enter()).is_none());
        inside.pop();
        assert!(budget.enter().await.is_ok());
    }
}
