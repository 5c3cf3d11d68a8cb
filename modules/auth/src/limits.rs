//! How often codes may be asked for. Pure rules over what Postgres has counted.

use std::time::Duration;

use halobestie_core::Timestamp;

/// The window of the hourly limits.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// How often one phone, one network and all together may have a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Between two codes of a phone.
    pub(crate) resend: Duration,
    /// Of a phone, in an hour.
    pub(crate) phone_hourly: usize,
    /// Of a network, in an hour.
    pub(crate) network_hourly: usize,
    /// In all, in a day of UTC.
    pub(crate) daily_budget: i32,
}

/// Which limit is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Phone,
    Network,
    Budget,
}

impl Limit {
    /// The name in metrics and keys.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Network => "network",
            Self::Budget => "budget",
        }
    }
}

/// A limit that is met, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    pub(crate) by: Limit,
    pub(crate) until: Timestamp,
}

/// When codes were made in the last hour, newest first, each list as long as its hourly limit at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recent<'a> {
    pub(crate) of_phone: &'a [Timestamp],
    pub(crate) of_network: &'a [Timestamp],
}

impl Limits {
    /// The limit that holds longest, where one is met.
    pub(crate) fn met(&self, recent: Recent<'_>, now: Timestamp) -> Option<Limited> {
        let limited = |by| move |until| Limited { by, until };
        let Recent {
            of_phone,
            of_network,
        } = recent;
        let resend = of_phone.first().map(|newest| *newest + self.resend);
        let phone = resend.max(full_until(of_phone, self.phone_hourly));
        let network = full_until(of_network, self.network_hourly);
        [
            phone.map(limited(Limit::Phone)),
            network.map(limited(Limit::Network)),
        ]
        .into_iter()
        .flatten()
        .filter(|it| it.until > now)
        .max_by_key(|it| it.until)
    }

    /// The spent budget of a day, until the next.
    pub(crate) fn spent(now: Timestamp) -> Limited {
        let next_day = (now.unix_ms().div_euclid(DAY_MS) + 1) * DAY_MS;
        Limited {
            by: Limit::Budget,
            until: Timestamp::from_unix_ms(next_day),
        }
    }
}

/// When the code leaves the window that must leave it before the next one fits.
fn full_until(recent: &[Timestamp], hourly: usize) -> Option<Timestamp> {
    let last = hourly.checked_sub(1).and_then(|index| recent.get(index));
    last.map(|it| *it + HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        resend: Duration::from_secs(30),
        phone_hourly: 3,
        network_hourly: 4,
        daily_budget: 10,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1000)
    }

    /// Which limit is met, and for how many seconds.
    fn met(phone: &[i64], network: &[i64], now: i64) -> Option<(Limit, u64)> {
        let instants = |seconds: &[i64]| seconds.iter().map(|it| at(*it)).collect::<Vec<_>>();
        let (phone, network) = (instants(phone), instants(network));
        let recent = Recent {
            of_phone: &phone,
            of_network: &network,
        };
        let limited = LIMITS.met(recent, at(now))?;
        Some((limited.by, limited.until.since(at(now)).as_secs()))
    }

    #[test]
    fn the_next_code_of_a_phone_waits_for_both_of_its_limits() {
        assert_eq!(met(&[], &[], 0), None);
        assert_eq!(met(&[100], &[], 100), Some((Limit::Phone, 30)));
        assert_eq!(met(&[100], &[], 129), Some((Limit::Phone, 1)));
        assert_eq!(met(&[100], &[], 130), None);
        // Three in the hour: the first must be an hour old.
        let three = &[300, 200, 100];
        assert_eq!(met(three, &[], 1000), Some((Limit::Phone, 2700)));
        assert_eq!(met(three, &[], 3700), None);
    }

    #[test]
    fn a_network_has_no_pause_and_a_limit_of_its_own() {
        assert_eq!(met(&[], &[100, 100, 100], 100), None);
        let four = &[400, 300, 200, 100];
        assert_eq!(met(&[], four, 400), Some((Limit::Network, 3300)));
        assert_eq!(met(&[], four, 3700), None);
    }

    #[test]
    fn the_limit_that_holds_longest_is_the_one_to_wait_for() {
        let four = &[400, 300, 200, 100];
        assert_eq!(met(&[400], four, 400), Some((Limit::Network, 3300)));
        assert_eq!(met(&[3690], four, 3695), Some((Limit::Phone, 25)));
    }

    #[test]
    fn a_spent_budget_comes_back_with_the_next_day_of_utc() {
        let until = |text: &str| Limits::spent(Timestamp::parse(text).unwrap()).until;
        let midnight = Timestamp::parse("2026-01-16T00:00:00Z").unwrap();
        assert_eq!(until("2026-01-15T08:00:00Z"), midnight);
        assert_eq!(until("2026-01-15T23:59:59.999Z"), midnight);
        assert!(until("2026-01-16T00:00:00Z") > midnight);
    }
}
