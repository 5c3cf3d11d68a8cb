//! How many links may be asked for: the rules alone.

use std::time::Duration;

use halobestie_core::Timestamp;

/// The window of a budget of everybody's.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

/// The limits as configured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Between two links for one recipient; zero switches it off.
    pub(crate) resend: Duration,
    /// Links for one recipient in an hour.
    pub(crate) recipient_hourly: u32,
    /// Links for one client address in an hour.
    pub(crate) network_hourly: u32,
    /// Links in all in 24 hours.
    pub(crate) daily_budget: u32,
}

/// At most `most` in any span of `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) most: u32,
    pub(crate) window: Duration,
}

impl Limits {
    /// What holds for one recipient.
    pub(crate) fn for_recipient(self) -> [Rule; 2] {
        let once = Rule {
            most: 1,
            window: self.resend,
        };
        [once, hourly(self.recipient_hourly)]
    }

    /// What holds for one client address.
    pub(crate) fn for_network(self) -> Rule {
        hourly(self.network_hourly)
    }

    /// What holds for everybody together.
    pub(crate) fn for_all(self) -> Rule {
        Rule {
            most: self.daily_budget,
            window: DAY,
        }
    }
}

const fn hourly(most: u32) -> Rule {
    Rule { most, window: HOUR }
}

impl Rule {
    /// How long until one more may be had, given when the `most`-th newest was made; `None` at once.
    pub(crate) fn wait(self, nth_newest: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
        let free_at = nth_newest? + self.window;
        let wait = free_at.since(now);
        (!wait.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_unix_ms(1_000_000_000);

    #[test]
    fn one_more_may_be_had_once_the_window_has_passed() {
        let rule = hourly(3);
        assert_eq!(rule.wait(None, T0), None);
        let third = Some(T0);
        assert_eq!(rule.wait(third, T0), Some(HOUR));
        let before = T0 + HOUR - Duration::from_secs(1);
        assert_eq!(rule.wait(third, before), Some(Duration::from_secs(1)));
        assert_eq!(rule.wait(third, T0 + HOUR), None);
    }

    #[test]
    fn without_a_pause_between_two_nobody_waits() {
        let rule = Rule {
            most: 1,
            window: Duration::ZERO,
        };
        assert_eq!(rule.wait(Some(T0), T0), None);
    }
}
