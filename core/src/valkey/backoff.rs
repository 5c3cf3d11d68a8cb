//! How long to wait before trying again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::entropy::Entropy;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);
/// What held this long is not what fails over and over: the next wait is a short one again.
const STABLE: Duration = Duration::from_secs(10);

/// Waits that double from 100 ms to one second, each with jitter, so that many processes do not fall
/// on a server that has just come back all at once.
pub(crate) struct Backoff {
    next: Duration,
    entropy: Entropy,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self {
            next: SHORTEST,
            entropy: Entropy::system(),
        }
    }

    /// To be told since when the thing had worked that now has failed.
    pub(crate) fn failed_after(&mut self, since: Instant) {
        if since.elapsed() >= STABLE {
            self.next = SHORTEST;
        }
    }

    /// Waits, and the next time longer.
    pub(crate) async fn wait(&mut self) {
        sleep(self.step()).await;
    }

    /// Between half of the current wait and all of it.
    fn step(&mut self) -> Duration {
        let half = self.next / 2;
        self.next = (self.next * 2).min(LONGEST);
        let jitter_us = self
            .entropy
            .below(u64::try_from(half.as_micros()).unwrap_or(u64::MAX));
        half + Duration::from_micros(jitter_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_cap_and_start_anew_after_stability() {
        let mut backoff = Backoff::new();
        let first = backoff.step();
        assert!(first >= SHORTEST / 2 && first <= SHORTEST, "{first:?}");
        for _ in 0..10 {
            assert!(backoff.step() <= LONGEST);
        }
        assert!(backoff.step() >= LONGEST / 2);

        backoff.failed_after(Instant::now());
        assert!(
            backoff.step() >= LONGEST / 2,
            "what failed at once is not stable"
        );
        backoff.failed_after(Instant::now().checked_sub(STABLE).unwrap());
        assert!(backoff.step() <= SHORTEST);
    }
}
