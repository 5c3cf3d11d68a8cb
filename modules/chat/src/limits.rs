//! How much one user may send: token buckets in this process, by user, over all of its sockets and
//! its HTTP calls.
//!
//! A bucket that is full again is forgotten, so the memory is that of the users who sent lately.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use halobestie_core::Timestamp;
use uuid::Uuid;

use crate::config::ChatConfig;

/// How many refusals a user has before its sockets are closed, and how fast they are forgiven.
const PATIENCE: Rate = Rate {
    per_second: 1,
    burst: 60,
};
/// Above this many users the buckets that are full again are dropped.
const USERS_BEFORE_PRUNING: usize = 4096;

/// A rate and how much may come at once; a rate of 0 means no limit.
#[derive(Clone, Copy, Debug)]
struct Rate {
    per_second: u32,
    burst: u32,
}

/// What was said about a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameVerdict {
    /// Take it.
    Take,
    /// Refuse it.
    Refuse,
    /// Refuse it and close: this has been going on for too long.
    Abuse,
}

/// Everybody's buckets.
pub(crate) struct Limits {
    frames: Rate,
    messages: Rate,
    users: Mutex<HashMap<Uuid, Buckets>>,
}

#[derive(Debug)]
struct Buckets {
    frames: Bucket,
    messages: Bucket,
    patience: Bucket,
}

impl Limits {
    /// The limits of the configuration.
    pub(crate) fn new(config: &ChatConfig) -> Self {
        let frames = config.frames_per_second;
        Self {
            // Two seconds' worth at once: what a client sends when it has just connected.
            frames: Rate {
                per_second: frames,
                burst: frames.saturating_mul(2),
            },
            messages: Rate {
                per_second: config.messages_per_second,
                burst: config.messages_burst,
            },
            users: Mutex::default(),
        }
    }

    /// Counts a frame of a socket.
    pub(crate) fn take_frame(&self, user_id: Uuid, now: Timestamp) -> FrameVerdict {
        self.with(user_id, now, |buckets, limits| {
            if buckets.frames.take(limits.frames, now).is_ok() {
                return FrameVerdict::Take;
            }
            buckets.refuse(now)
        })
    }

    /// Counts a frame that was not worth reading.
    pub(crate) fn refuse_frame(&self, user_id: Uuid, now: Timestamp) -> FrameVerdict {
        self.with(user_id, now, |buckets, _| buckets.refuse(now))
    }

    /// Counts a message.
    ///
    /// # Errors
    /// When to come back.
    pub(crate) fn take_message(&self, user_id: Uuid, now: Timestamp) -> Result<(), Duration> {
        self.with(user_id, now, |buckets, limits| {
            buckets.messages.take(limits.messages, now)
        })
    }

    fn with<T>(
        &self,
        user_id: Uuid,
        now: Timestamp,
        look: impl FnOnce(&mut Buckets, &Self) -> T,
    ) -> T {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() >= USERS_BEFORE_PRUNING && !users.contains_key(&user_id) {
            users.retain(|_, buckets| !buckets.are_full(self, now));
        }
        look(
            users
                .entry(user_id)
                .or_insert_with(|| Buckets::full(self, now)),
            self,
        )
    }
}

impl Buckets {
    fn full(limits: &Limits, now: Timestamp) -> Self {
        Self {
            frames: Bucket::full(limits.frames, now),
            messages: Bucket::full(limits.messages, now),
            patience: Bucket::full(PATIENCE, now),
        }
    }

    fn refuse(&mut self, now: Timestamp) -> FrameVerdict {
        match self.patience.take(PATIENCE, now) {
            Ok(()) => FrameVerdict::Refuse,
            Err(_) => FrameVerdict::Abuse,
        }
    }

    fn are_full(&self, limits: &Limits, now: Timestamp) -> bool {
        self.frames.is_full(limits.frames, now)
            && self.messages.is_full(limits.messages, now)
            && self.patience.is_full(PATIENCE, now)
    }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Thousandths of a token, so that whole milliseconds refill without rounding.
    level: u64,
    at: Timestamp,
}

impl Bucket {
    fn full(rate: Rate, now: Timestamp) -> Self {
        Self {
            level: u64::from(rate.burst) * 1000,
            at: now,
        }
    }

    fn level(&self, rate: Rate, now: Timestamp) -> u64 {
        let elapsed_ms = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let refilled = elapsed_ms.saturating_mul(u64::from(rate.per_second));
        self.level
            .saturating_add(refilled)
            .min(u64::from(rate.burst) * 1000)
    }

    fn is_full(&self, rate: Rate, now: Timestamp) -> bool {
        self.level(rate, now) == u64::from(rate.burst) * 1000
    }

    fn take(&mut self, rate: Rate, now: Timestamp) -> Result<(), Duration> {
        if rate.per_second == 0 {
            return Ok(());
        }
        self.level = self.level(rate, now);
        self.at = now;
        match self.level.checked_sub(1000) {
            Some(level) => {
                self.level = level;
                Ok(())
            }
            None => {
                let missing = 1000 - self.level;
                Err(Duration::from_millis(
                    missing.div_ceil(u64::from(rate.per_second)),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(frames: u32, messages: u32) -> Limits {
        Limits::new(&ChatConfig {
            pairing_timeout_seconds: 60,
            first_response_seconds: 0,
            reroute_timeout_seconds: 120,
            frames_per_second: frames,
            messages_per_second: messages,
            messages_burst: 20,
        })
    }

    #[test]
    fn messages_have_a_burst_and_then_a_rate() {
        let (limits, user) = (limits(20, 5), Uuid::nil());
        let start = Timestamp::from_unix_ms(0);
        for _ in 0..20 {
            assert_eq!(limits.take_message(user, start), Ok(()));
        }
        assert_eq!(
            limits.take_message(user, start),
            Err(Duration::from_millis(200))
        );
        let later = start + Duration::from_millis(200);
        assert_eq!(limits.take_message(user, later), Ok(()));
        assert!(limits.take_message(user, later).is_err());
        assert_eq!(limits.take_message(Uuid::from_u128(1), later), Ok(()));
    }

    #[test]
    fn lasting_abuse_is_told_apart_from_a_slip() {
        let (limits, user, now) = (limits(1, 5), Uuid::nil(), Timestamp::from_unix_ms(0));
        let verdicts: Vec<_> = (0..63).map(|_| limits.take_frame(user, now)).collect();
        assert_eq!(verdicts[..2], [FrameVerdict::Take; 2]);
        assert_eq!(verdicts[2..62], [FrameVerdict::Refuse; 60]);
        assert_eq!(verdicts[62], FrameVerdict::Abuse);
    }

    #[test]
    fn zero_switches_a_limit_off() {
        let (limits, user, now) = (limits(0, 0), Uuid::nil(), Timestamp::from_unix_ms(0));
        for _ in 0..1000 {
            assert_eq!(limits.take_frame(user, now), FrameVerdict::Take);
            assert_eq!(limits.take_message(user, now), Ok(()));
        }
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten() {
        let limits = limits(20, 5);
        for user in 0..USERS_BEFORE_PRUNING {
            let now = Timestamp::from_unix_ms(0);
            limits
                .take_message(Uuid::from_u128(user as u128), now)
                .unwrap();
        }
        let later = Timestamp::from_unix_ms(60_000);
        limits
            .take_message(Uuid::from_u128(u128::MAX), later)
            .unwrap();
        assert_eq!(limits.users.lock().unwrap().len(), 1);
    }
}
