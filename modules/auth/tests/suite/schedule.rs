//! Lives of a refresh token, and what the published rule says of each step. Nothing here knows how the
//! rule is kept: the pure rotation (`src/rotation/schedules.rs`) and the real server are both held
//! against it.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// `AUTH_REFRESH_REUSE_SECONDS`.
pub(crate) const REUSE: Duration = Duration::from_secs(10);

/// Something that happens to the tokens of one session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Somebody shows a token: the living one, or one so many before it.
    Show(usize),
    /// Time passes.
    Wait(Duration),
    /// The operator puts a new secret before the ones there are.
    NewSecret,
}

/// What the server says to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is replaced: a token that nobody has had.
    Next,
    /// Once more: the living token.
    Again,
    /// Theft. Nothing is left of the session.
    Reused,
    /// Not, or no longer, a token.
    Invalid,
}

/// "The token just replaced is good once more for `AUTH_REFRESH_REUSE_SECONDS`, and as long as its
/// successor has not been used. Any other second use is theft, and the whole session is revoked."
#[derive(Debug, Default)]
pub(crate) struct Rule {
    since_replaced: Option<Duration>,
    was_shown_again: bool,
    is_revoked: bool,
}

impl Rule {
    pub(crate) fn wait(&mut self, duration: Duration) {
        if let Some(since) = &mut self.since_replaced {
            *since += duration;
        }
    }

    pub(crate) fn show(&mut self, back: usize) -> Said {
        if self.is_revoked {
            return Said::Invalid;
        }
        let in_time = self.since_replaced.is_some_and(|since| since <= REUSE);
        match back {
            0 => {
                // Its successor has not been used, and it has not been shown again.
                self.since_replaced = Some(Duration::ZERO);
                self.was_shown_again = false;
                Said::Next
            }
            1 if in_time && !self.was_shown_again => {
                self.was_shown_again = true;
                Said::Again
            }
            _ => {
                self.is_revoked = true;
                Said::Reused
            }
        }
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.is_revoked
    }
}

/// Anything at all, most of it near the limits.
pub(crate) fn anything() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Show(0)),
        4 => Just(Step::Show(1)),
        1 => (2_usize..6).prop_map(Step::Show),
        3 => (0_u64..12_000).prop_map(|ms| Step::Wait(Duration::from_millis(ms))),
        1 => Just(Step::Wait(REUSE)),
        1 => Just(Step::NewSecret),
    ];
    vec(step, 1..24)
}

/// A client that keeps to the rule: it refreshes after minutes or days, sometimes loses an answer and
/// shows its token again in time, sometimes does so from two tabs at once.
pub(crate) fn rightful() -> impl Strategy<Value = Vec<Step>> {
    let retry_after = prop_oneof![
        Just(Duration::ZERO),
        (1_u64..=10_000).prop_map(Duration::from_millis)
    ];
    let round = (
        any::<bool>(),
        retry_after,
        0_u64..29 * 24 * 3600,
        any::<bool>(),
    );
    let steps = round.prop_map(|(is_lost, retry_after, pause, new_secret)| {
        let mut steps = vec![Step::Show(0)];
        if is_lost {
            steps.extend([Step::Wait(retry_after), Step::Show(1)]);
        }
        if new_secret {
            steps.push(Step::NewSecret);
        }
        steps.push(Step::Wait(Duration::from_secs(pause)));
        steps
    });
    vec(steps, 1..8).prop_map(|rounds| rounds.concat())
}

/// Two who hold the living token, thief and owner, and refresh in any order, each time later than the
/// tolerance lasts. True is the one, false the other.
pub(crate) fn theft() -> impl Strategy<Value = Vec<(bool, Duration)>> {
    let pause = (10_001_u64..1_000_000).prop_map(Duration::from_millis);
    vec((any::<bool>(), pause), 2..12)
}
