//! The brake: when FCM turns one call after another away, nobody calls for a while. Pure.
//!
//! Each push backs off by itself as well; but ten thousand that each find out for themselves that a
//! quota is used up are ten thousand calls more against it. One refusal is no reason: a quota may be a
//! single device's.

use std::time::Duration;

use halobestie_core::Timestamp;

/// So many refusals without a success between them are trouble of all.
const REFUSALS_MAX: u32 = 10;
/// Where nobody says how long: the first wait, doubled up to the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(32);

/// The state.
#[derive(Debug, Default)]
pub(crate) struct Brake {
    refusals: u32,
    holds: u32,
    held_until: Option<Timestamp>,
}

impl Brake {
    /// How long calls are held back; `None` when they may go.
    pub(crate) fn holds(&self, now: Timestamp) -> Option<Duration> {
        let until = self.held_until.filter(|until| now < *until)?;
        Some(until.since(now))
    }

    /// Whether something is wrong: from the first hold until a call succeeds.
    pub(crate) fn is_pulled(&self) -> bool {
        self.holds > 0
    }

    /// A call was answered as it should be.
    pub(crate) fn release(&mut self) {
        *self = Self::default();
    }

    /// A call was turned away, and told to come back after `wait`. Says whether calls are held from now.
    pub(crate) fn refuse(&mut self, wait: Option<Duration>, now: Timestamp) -> bool {
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals < REFUSALS_MAX || self.holds(now).is_some() {
            // What was under way when the hold began is part of the same trouble.
            return false;
        }
        let grown = FIRST.saturating_mul(1 << self.holds.min(5)).min(LONGEST);
        self.holds = self.holds.saturating_add(1);
        self.held_until = Some(now + wait.unwrap_or(grown));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_ms(0);

    fn at(seconds: u64) -> Timestamp {
        START + Duration::from_secs(seconds)
    }

    fn refuse(brake: &mut Brake, times: u32, now: Timestamp) {
        for _ in 0..times {
            brake.refuse(None, now);
        }
    }

    #[test]
    fn single_refusals_hold_nobody_back() {
        let mut brake = Brake::default();
        for _ in 0..5 {
            refuse(&mut brake, REFUSALS_MAX - 1, START);
            brake.release();
        }
        assert_eq!(brake.holds(START), None);
        assert!(!brake.is_pulled());
    }

    #[test]
    fn refusals_in_a_row_hold_for_as_long_as_is_said() {
        let mut brake = Brake::default();
        refuse(&mut brake, REFUSALS_MAX - 1, START);
        assert!(brake.refuse(Some(Duration::from_secs(30)), START));
        assert_eq!(brake.holds(at(10)), Some(Duration::from_secs(20)));
        assert_eq!(brake.holds(at(30)), None);
        assert!(brake.is_pulled());
    }

    #[test]
    fn holds_grow_and_a_success_ends_them() {
        let mut brake = Brake::default();
        let mut now = START;
        let mut waits = Vec::new();
        refuse(&mut brake, REFUSALS_MAX, now);
        for _ in 0..7 {
            let wait = brake.holds(now).unwrap();
            waits.push(wait.as_secs());
            // The many that were under way do not make it longer.
            refuse(&mut brake, 100, now);
            now = now + wait;
            brake.refuse(None, now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 32]);
        brake.release();
        assert_eq!(brake.holds(now), None);
    }
}
