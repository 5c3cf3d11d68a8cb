//! The session that Aptabase wants each event to have. It is this process's, never a person's.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::entropy::Entropy;

/// Aptabase refuses sessions that began more than seven days ago.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// Digits of chance behind the seconds.
const CHANCE: u64 = 100_000_000;

/// The session of a process, anew each day.
pub(crate) struct Session {
    entropy: Entropy,
    current: Option<(Timestamp, String)>,
}

impl Session {
    pub(crate) fn new(entropy: Entropy) -> Self {
        let current = None;
        Self { entropy, current }
    }

    /// The session's id: the second in which it began, and eight digits of chance.
    pub(crate) fn id(&mut self, now: Timestamp) -> &str {
        let is_old = |(began, _): &(Timestamp, String)| now.since(*began) >= LIFE;
        if self.current.as_ref().is_none_or(is_old) {
            self.current = None;
        }
        let entropy = &self.entropy;
        let make = || {
            let chance = entropy.below(CHANCE);
            (now, format!("{}{chance:08}", now.unix_seconds()))
        };
        &self.current.get_or_insert_with(make).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_for_a_day_and_begins_with_its_second() {
        let mut session = Session::new(Entropy::seeded(1));
        let start = Timestamp::from_unix_ms(1_768_464_000_000);
        let first = session.id(start).to_owned();
        assert!(
            first.starts_with("1768464000") && first.len() == 18,
            "{first}"
        );
        assert_eq!(session.id(start + LIFE - Duration::from_secs(1)), first);
        assert_ne!(session.id(start + LIFE), first);
    }
}
