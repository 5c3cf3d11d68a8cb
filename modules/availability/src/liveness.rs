//! The rules of time: when a mitra counts as there. No I/O.

use std::time::Duration;

use halobestie_core::Timestamp;

use crate::config::AvailabilityConfig;

/// A mitra that misses two heartbeats is still there when the third comes in time.
const HEARTBEATS_PER_STALE: u32 = 3;
/// A heartbeat's key outlives its meaning by far, so that its absence means a loss, not age; it
/// expires at last, so that nothing stays behind for good.
const KEY_LIVES_PER_STALE: u32 = 10;

/// How long a heartbeat means that a mitra is there.
#[derive(Clone, Copy, Debug)]
pub struct Liveness {
    stale: Duration,
    mirror_interval: Duration,
}

impl Liveness {
    /// The rules of a configuration.
    pub fn new(config: &AvailabilityConfig) -> Self {
        Self {
            stale: config.stale(),
            mirror_interval: config.heartbeat_mirror_every(),
        }
    }

    /// Whether a mitra heard from at `heard` is still there.
    pub fn is_fresh(&self, heard: Timestamp, now: Timestamp) -> bool {
        heard > self.stale_at(now)
    }

    /// Heartbeats of this instant or before are stale.
    pub fn stale_at(&self, now: Timestamp) -> Timestamp {
        now - self.stale
    }

    /// Heartbeats of this instant or before are stale in Postgres, which learns of them only once in
    /// an interval while the mirror answers.
    pub fn stale_in_postgres_at(&self, now: Timestamp) -> Timestamp {
        self.stale_at(now) - self.mirror_interval
    }

    /// How often a mitra is to send a heartbeat.
    pub fn heartbeat_interval(&self) -> Duration {
        (self.stale / HEARTBEATS_PER_STALE).max(Duration::from_secs(1))
    }

    /// How long a heartbeat stays in the mirror.
    pub fn key_life(&self) -> Duration {
        self.stale * KEY_LIVES_PER_STALE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Liveness = Liveness {
        stale: Duration::from_secs(90),
        mirror_interval: Duration::from_secs(60),
    };

    #[test]
    fn a_heartbeat_is_fresh_until_the_stale_time_has_passed() {
        let heard = Timestamp::from_unix_ms(1_000_000);
        assert!(RULES.is_fresh(heard, heard));
        assert!(RULES.is_fresh(heard, heard + Duration::from_millis(89_999)));
        assert!(!RULES.is_fresh(heard, heard + Duration::from_secs(90)));
    }

    #[test]
    fn a_heartbeat_from_a_clock_that_is_ahead_is_fresh() {
        let now = Timestamp::from_unix_ms(1_000_000);
        assert!(RULES.is_fresh(now + Duration::from_secs(5), now));
    }

    #[test]
    fn postgres_is_given_one_mirror_interval_more() {
        let now = Timestamp::from_unix_ms(1_000_000);
        assert_eq!(
            RULES.stale_in_postgres_at(now),
            now - Duration::from_secs(150)
        );
    }

    #[test]
    fn the_heartbeat_interval_is_never_zero() {
        let hasty = Liveness {
            stale: Duration::from_secs(1),
            ..RULES
        };
        assert_eq!(hasty.heartbeat_interval(), Duration::from_secs(1));
        assert_eq!(RULES.heartbeat_interval(), Duration::from_secs(30));
    }
}
