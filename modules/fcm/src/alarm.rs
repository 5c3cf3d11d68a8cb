//! Trouble that people must see to: said in the log once a minute, and shown by `/readyz` for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::clock::Clock;
use tracing::error;

/// Between two lines about the same.
const QUIET: Duration = Duration::from_secs(60);
/// For how long it is shown after it was seen last.
const SHOWN: Duration = Duration::from_secs(300);

/// What was seen, and when.
pub(crate) struct Alarm {
    clock: Clock,
    seen: Mutex<HashMap<&'static str, Seen>>,
}

struct Seen {
    said_at: Timestamp,
    last_at: Timestamp,
    words: String,
}

impl Alarm {
    /// Nothing was seen yet.
    pub(crate) fn new(clock: Clock) -> Self {
        let seen = Mutex::default();
        Self { clock, seen }
    }

    /// Raises it: `code` is what it is about, one of a few.
    pub(crate) fn raise(&self, code: &'static str, words: &str) {
        let now = self.clock.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.get(code);
        let said_at = match before.map(|it| it.said_at) {
            Some(said_at) if now < said_at + QUIET => said_at,
            _ => {
                error!(
                    fcm.code = code,
                    words, "FCM refuses what no retry will mend"
                );
                now
            }
        };
        let (last_at, words) = (now, words.to_owned());
        seen.insert(
            code,
            Seen {
                said_at,
                last_at,
                words,
            },
        );
    }

    /// What was seen lately.
    pub(crate) fn shown(&self) -> Option<String> {
        let now = self.clock.now();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = seen.values().filter(|it| now < it.last_at + SHOWN);
        lately
            .max_by_key(|it| it.last_at)
            .map(|it| it.words.clone())
    }
}
