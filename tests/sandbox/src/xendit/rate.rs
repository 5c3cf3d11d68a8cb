//! How many calls an account may make: so many a minute for each endpoint, in a sliding window.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use halobestie_core::timestamp::Timestamp;
use http::HeaderName;

use crate::upstream::Answer;

const WINDOW: Duration = Duration::from_secs(60);

static LIMIT: HeaderName = HeaderName::from_static("rate-limit-limit");
static REMAINING: HeaderName = HeaderName::from_static("rate-limit-remaining");
static RESET: HeaderName = HeaderName::from_static("rate-limit-reset");

/// The calls of the last minute, by endpoint.
pub(super) struct Rate {
    per_minute: usize,
    taken: HashMap<&'static str, VecDeque<Timestamp>>,
}

/// What is told to a caller of how it stands.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub(super) allowed: bool,
    limit: usize,
    remaining: usize,
    reset: Duration,
}

impl Rate {
    pub(super) fn new(per_minute: usize) -> Self {
        Self {
            per_minute,
            taken: HashMap::new(),
        }
    }

    pub(super) fn set(&mut self, per_minute: usize) {
        self.per_minute = per_minute;
    }

    /// Counts a call, unless it is one too many.
    pub(super) fn take(&mut self, endpoint: &'static str, now: Timestamp) -> Standing {
        let taken = self.taken.entry(endpoint).or_default();
        while taken.front().is_some_and(|it| now.since(*it) >= WINDOW) {
            taken.pop_front();
        }
        let allowed = taken.len() < self.per_minute;
        if allowed {
            taken.push_back(now);
        }
        let oldest = taken.front().copied().unwrap_or(now);
        Standing {
            allowed,
            limit: self.per_minute,
            remaining: self.per_minute.saturating_sub(taken.len()),
            reset: (oldest + WINDOW).since(now),
        }
    }
}

impl Standing {
    /// The answer with how the caller stands. Seconds have a fraction.
    pub(super) fn on(self, answer: Answer) -> Answer {
        answer
            .with(LIMIT.clone(), &self.limit.to_string())
            .with(REMAINING.clone(), &self.remaining.to_string())
            .with(RESET.clone(), &seconds(self.reset))
    }
}

/// An answer that asks its caller to wait.
pub(super) fn asking_to_wait(answer: Answer, wait: Duration) -> Answer {
    answer
        .with(REMAINING.clone(), "0")
        .with(RESET.clone(), &seconds(wait))
}

fn seconds(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides_and_endpoints_are_counted_apart() {
        let mut rate = Rate::new(2);
        let at = |seconds: u64| Timestamp::from_unix_ms(0) + Duration::from_secs(seconds);
        assert!(rate.take("create", at(0)).allowed);
        assert!(rate.take("create", at(30)).allowed);
        let refused = rate.take("create", at(40));
        assert!(!refused.allowed);
        assert_eq!(refused.reset, Duration::from_secs(20));
        assert!(rate.take("get", at(40)).allowed);
        assert!(rate.take("create", at(60)).allowed);
        assert!(!rate.take("create", at(61)).allowed);
    }
}
