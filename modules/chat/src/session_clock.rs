//! The clock of a session: when it runs, when it stands, and what becomes of its time at the end.
//!
//! Pure, in whole milliseconds, so that nothing is lost to rounding. The invariant: what is left plus what
//! is consumed plus what is returned is what was bought, at every stop and at the end.

use std::time::Duration;

use halobestie_core::Timestamp;

use crate::session_state::EndReason;

/// How a session's clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionClock {
    /// It has not started, or has ended: no time is left of it.
    Empty,
    /// It runs: since when, this time, and until when.
    Running { since: Timestamp, until: Timestamp },
    /// It stands while the session looks for another mitra, with this much left.
    Standing { left: Duration },
}

/// What a running clock leaves when it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// What was delivered since it started.
    pub(crate) consumed: Duration,
    /// What is left.
    pub(crate) left: Duration,
}

/// Where a session's last time goes when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// To the customer, who had it or gave it up.
    pub(crate) consumed: Duration,
    /// Back to the customer, as a credit of what was paid for it.
    pub(crate) returned: Duration,
}

impl SessionClock {
    /// Starts with this much time.
    pub(crate) fn started(at: Timestamp, left: Duration) -> Self {
        Self::Running {
            since: at,
            until: at + left,
        }
    }

    /// What is left at an instant.
    pub(crate) fn left(self, at: Timestamp) -> Duration {
        match self {
            Self::Empty => Duration::ZERO,
            Self::Running { until, .. } => until.since(at),
            Self::Standing { left } => left,
        }
    }

    /// Stops it at an instant; one that stands has nothing to deliver.
    pub(crate) fn stop(self, at: Timestamp) -> Stopped {
        let consumed = match self {
            // Clocks of two replicas may differ a little: nobody is charged more than was bought.
            Self::Running { since, until } => at.min(until).since(since),
            Self::Empty | Self::Standing { .. } => Duration::ZERO,
        };
        let whole = match self {
            Self::Empty => Duration::ZERO,
            Self::Running { since, until } => until.since(since),
            Self::Standing { left } => left,
        };
        Stopped {
            consumed,
            left: whole.saturating_sub(consumed),
        }
    }

    /// With more time, running or standing as before.
    pub(crate) fn extended(self, by: Duration) -> Self {
        match self {
            Self::Empty => Self::Empty,
            Self::Running { since, until } => Self::Running {
                since,
                until: until + by,
            },
            Self::Standing { left } => Self::Standing { left: left + by },
        }
    }

    /// Ends it: what a customer gives up is consumed, what others take from it is returned.
    pub(crate) fn settle(self, at: Timestamp, reason: EndReason) -> Settled {
        let Stopped { consumed, left } = self.stop(at);
        if is_returned(reason) {
            Settled {
                consumed,
                returned: left,
            }
        } else {
            Settled {
                consumed: consumed + left,
                returned: Duration::ZERO,
            }
        }
    }
}

/// Whether what is left at such an end goes back: every end that is neither the customer's wish nor the
/// clock's.
fn is_returned(reason: EndReason) -> bool {
    match reason {
        EndReason::MitraEnded | EndReason::RerouteFailed | EndReason::AdminEnded => true,
        EndReason::CustomerEnded | EndReason::Expired | EndReason::PaymentExpired => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_clock_that_stands_keeps_what_was_left() {
        let clock = SessionClock::started(at(1000), ms(900));
        let stopped = clock.stop(at(1301));
        assert_eq!((stopped.consumed, stopped.left), (ms(301), ms(599)));
        let standing = SessionClock::Standing { left: stopped.left };
        assert_eq!(standing.left(at(9_999_999)), ms(599));
        assert_eq!(standing.extended(ms(1)).left(at(0)), ms(600));
    }

    #[test]
    fn what_others_end_is_returned_and_what_the_customer_ends_is_not() {
        let clock = SessionClock::started(at(0), ms(1000));
        for (reason, consumed, returned) in [
            (EndReason::CustomerEnded, 1000, 0),
            (EndReason::Expired, 1000, 0),
            (EndReason::MitraEnded, 250, 750),
            (EndReason::RerouteFailed, 250, 750),
            (EndReason::AdminEnded, 250, 750),
        ] {
            let settled = clock.settle(at(250), reason);
            assert_eq!(
                (settled.consumed, settled.returned),
                (ms(consumed), ms(returned)),
                "{reason:?}"
            );
        }
    }

    proptest::proptest! {
        /// Whatever instants two replicas' clocks say, in whatever order.
        #[test]
        fn no_time_is_lost_or_made(since in 0i64..10_000, bought in 1u64..10_000, stop in 0i64..30_000) {
            let clock = SessionClock::started(at(since), ms(bought));
            let stopped = clock.stop(at(stop));
            proptest::prop_assert_eq!(stopped.consumed + stopped.left, ms(bought));
            for reason in EndReason::ALL {
                let settled = clock.settle(at(stop), reason);
                proptest::prop_assert_eq!(settled.consumed + settled.returned, ms(bought));
            }
        }
    }
}
