//! How a kind of job is to be done: its limits, its pauses, what becomes of it at its end. Data beside
//! the declaration, never an `if` in the worker. Pure.

use std::time::Duration;

/// How the jobs of a kind are done. Start from [`Policy::DEFAULT`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// After this many attempts a job is dead. A crash of its worker counts as one: with 1, a job is
    /// begun at most once.
    pub attempts_max: u32,
    /// The pauses between attempts.
    pub backoff: Backoff,
    /// How long one attempt may take, in real time; it is dropped at its next await then.
    pub timeout: Duration,
    /// Attempts that one process makes at once. A handler that uses the database wants fewer than
    /// there are connections; so does one that computes, than there are cores.
    pub concurrency: u32,
    /// How long after its time a job without a deadline of its own is still worth doing.
    pub life: Duration,
    /// What a job becomes that was not done by its deadline.
    pub when_late: Late,
    /// Among which jobs a key is the only one.
    pub unique: Unique,
    /// How long a done job's row is kept; with zero it goes at once.
    pub keep_done: Duration,
}

impl Policy {
    /// Twelve attempts over about a day, eight at once, 30 s each; a week to live; dead when late.
    pub const DEFAULT: Self = Self {
        attempts_max: 12,
        backoff: Backoff::DEFAULT,
        timeout: Duration::from_secs(30),
        concurrency: 8,
        life: Duration::from_secs(7 * 24 * 3600),
        when_late: Late::Dead,
        unique: Unique::WhileUnfinished,
        keep_done: Duration::from_secs(24 * 3600),
    };

    /// Whether a worker can follow it. Evaluated where a kind is declared, so a policy that nobody
    /// can follow does not compile.
    pub(super) const fn check(&self) {
        assert!(self.attempts_max > 0, "a job needs an attempt");
        assert!(self.concurrency > 0, "a kind of job needs a slot");
        assert!(
            self.concurrency <= 10_000,
            "one statement takes and settles them all"
        );
        assert!(!self.timeout.is_zero(), "an attempt needs time");
        assert!(self.backoff.factor >= 1.0, "pauses do not shrink");
        assert!(
            self.backoff.jitter >= 0.0 && self.backoff.jitter <= 1.0,
            "jitter is a part of a pause"
        );
    }
}

/// Growing pauses: `first`, `first · factor`, `first · factor²`, … up to `max`, each spread by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// After the first attempt.
    pub first: Duration,
    /// By how much each pause is longer than the one before it; at least 1.
    pub factor: f64,
    /// No pause is longer, before the jitter.
    pub max: Duration,
    /// From 0 to 1: a pause is made longer or shorter by up to this part of it.
    pub jitter: f64,
}

impl Backoff {
    /// 1 s, 3 s, 9 s, … up to an hour, a fifth more or less.
    pub const DEFAULT: Self = Self {
        first: Duration::from_secs(1),
        factor: 3.0,
        max: Duration::from_secs(3600),
        jitter: 0.2,
    };

    /// The pause after this many attempts; `chance` from 0 to 1 places it within its jitter.
    pub fn pause(&self, attempts: u32, chance: f64) -> Duration {
        let exponent = i32::try_from(attempts.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.first.as_secs_f64() * self.factor.powi(exponent);
        let base = grown.min(self.max.as_secs_f64());
        seconds(base * (1.0 - self.jitter + 2.0 * self.jitter * chance))
    }

    /// A pause that somebody else has named: never shorter, and longer by up to the jitter, so that
    /// all who were told the same do not come back together.
    pub fn named(&self, pause: Duration, chance: f64) -> Duration {
        seconds(pause.as_secs_f64() * (1.0 + self.jitter * chance)).max(pause)
    }
}

/// Ages are beyond what a timestamp holds long before a duration overflows.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// What a job becomes that was not done by its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// Nothing is wrong: it is no longer worth doing. Kept as long as one that was done.
    Forgotten,
    /// Somebody must look at it: a dead letter.
    Dead,
}

/// Among which jobs of its kind a key is the only one. A second one is not enqueued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    /// Those that are not finished, running ones included: a handler that began before the second
    /// was enqueued may have read what was true before. Who must not miss that gives no key.
    WhileUnfinished,
    /// Those that are kept, finished ones included: for [`Policy::keep_done`], or as long as a dead
    /// letter.
    WhileKept,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn backoffs()(
            first_ms in 0u64..100_000,
            factor in 1.0f64..10.0,
            max_ms in 0u64..100_000_000,
            jitter in 0.0f64..=1.0,
        ) -> Backoff {
            let (first, max) = (Duration::from_millis(first_ms), Duration::from_millis(max_ms));
            Backoff { first, factor, max, jitter }
        }
    }

    proptest! {
        #[test]
        fn a_pause_stays_within_its_jitter_and_its_maximum(
            backoff in backoffs(), attempts: u32, chance in 0.0f64..=1.0,
        ) {
            let middle = backoff.pause(attempts, 0.5).as_secs_f64();
            let pause = backoff.pause(attempts, chance).as_secs_f64();
            prop_assert!(pause >= middle * (1.0 - backoff.jitter) - 1e-6);
            prop_assert!(pause <= middle * (1.0 + backoff.jitter) + 1e-6);
            prop_assert!(middle <= backoff.max.as_secs_f64() + 1e-6);
        }

        #[test]
        fn pauses_grow_until_the_maximum(backoff in backoffs(), attempts in 1u32..1000) {
            let pauses = [attempts, attempts + 1].map(|it| backoff.pause(it, 0.5));
            prop_assert!(pauses[0] <= pauses[1]);
        }

        #[test]
        fn a_pause_that_was_named_is_kept(
            backoff in backoffs(), named_ms in 0u64..1_000_000_000, chance in 0.0f64..=1.0,
        ) {
            let named = Duration::from_millis(named_ms);
            let pause = backoff.named(named, chance);
            prop_assert!(pause >= named);
            prop_assert!(pause.as_secs_f64() <= named.as_secs_f64() * (1.0 + backoff.jitter) + 1e-6);
        }
    }

    #[test]
    fn the_default_pauses_triple_from_a_second() {
        let pauses = [1, 2, 3, 4, 100].map(|it| Backoff::DEFAULT.pause(it, 0.5).as_secs());
        assert_eq!(pauses, [1, 3, 9, 27, 3600]);
    }
}
