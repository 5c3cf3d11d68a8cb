//! What becomes of a job after an attempt. Pure: policy, facts, outcome, the time and chance in, the
//! row's next state out.

use std::time::Duration;

use super::failure::Failure;
use super::policy::{Late, Policy};
use crate::doctor::with_causes;
use crate::timestamp::Timestamp;

/// A dead letter is kept this long for somebody to look at.
const DEAD_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// A handler that says "not yet, now" must not turn in a circle.
const NOT_YET_MIN: Duration = Duration::from_millis(100);
/// What is kept of an error's text.
const ERROR_CHARS_MAX: usize = 500;

/// How an attempt ended, or why there was none.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The handler did it.
    Done,
    /// The handler did not, and said why.
    Failed(Failure),
    /// It took longer than it may.
    TimedOut,
    /// The handler panicked.
    Panicked,
    /// The process stops: somebody else will do it.
    GivenBack,
    /// The deadline was over before an attempt.
    Late,
    /// Every attempt was made, and the last one's worker did not live to tell.
    LostLast,
}

/// What is written into the row.
#[derive(Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) state: State,
    /// Attempts that count, from now on.
    pub(super) attempts: u32,
    pub(super) error: Option<String>,
}

/// Where the job goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Taken again from this instant.
    Waiting(Timestamp),
    /// Done; the row goes at this instant.
    Done(Timestamp),
    /// No longer worth doing; the row goes at this instant.
    Late(Timestamp),
    /// A dead letter; the row goes at this instant.
    Dead(Timestamp),
}

impl State {
    /// As in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Done(_) => "done",
            Self::Late(_) => "late",
            Self::Dead(_) => "dead",
        }
    }
}

/// The case of one job, now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) policy: &'a Policy,
    /// Attempts so far, this one included.
    pub(super) attempts: u32,
    pub(super) deadline: Timestamp,
    pub(super) now: Timestamp,
    /// From 0 to 1, for the jitter.
    pub(super) chance: f64,
}

impl Case<'_> {
    /// What becomes of the job.
    pub(super) fn judge(self, outcome: Outcome) -> Verdict {
        match outcome {
            Outcome::Done => self.end(State::Done(self.now + self.policy.keep_done), None),
            Outcome::GivenBack => self.uncounted(State::Waiting(self.now), None),
            Outcome::Late => self.late("not begun by its deadline".into()),
            Outcome::LostLast => self.dead("its worker was lost in the last attempt".into()),
            Outcome::TimedOut => self.again(None, "the attempt took longer than it may".into()),
            Outcome::Panicked => self.again(None, "the handler panicked".into()),
            Outcome::Failed(Failure::Retry { after, cause }) => {
                self.again(after, with_causes(&*cause))
            }
            Outcome::Failed(Failure::NotYet { after, cause }) => {
                self.not_yet(after, with_causes(&*cause))
            }
            Outcome::Failed(Failure::GiveUp(cause)) => self.dead(with_causes(&*cause)),
        }
    }

    fn again(self, named: Option<Duration>, error: String) -> Verdict {
        if self.attempts >= self.policy.attempts_max {
            return self.dead(error);
        }
        let backoff = &self.policy.backoff;
        let pause = match named {
            Some(pause) => backoff.named(pause, self.chance),
            None => backoff.pause(self.attempts, self.chance),
        };
        let at = self.now + pause;
        if at >= self.deadline {
            return self.late(error);
        }
        self.end(State::Waiting(at), Some(error))
    }

    fn not_yet(self, after: Duration, error: String) -> Verdict {
        let pause = self.policy.backoff.named(after, self.chance);
        let at = self.now + pause.max(NOT_YET_MIN);
        if at >= self.deadline {
            return self.late(error);
        }
        self.uncounted(State::Waiting(at), Some(error))
    }

    fn late(self, error: String) -> Verdict {
        match self.policy.when_late {
            Late::Dead => self.dead(format!("its deadline is over: {error}")),
            Late::Forgotten => self.end(State::Late(self.now + self.policy.keep_done), Some(error)),
        }
    }

    fn dead(self, error: String) -> Verdict {
        self.end(State::Dead(self.now + DEAD_KEPT), Some(error))
    }

    fn uncounted(self, state: State, error: Option<String>) -> Verdict {
        let attempts = self.attempts.saturating_sub(1);
        Self { attempts, ..self }.end(state, error)
    }

    fn end(self, state: State, error: Option<String>) -> Verdict {
        Verdict {
            state,
            attempts: self.attempts,
            error: error.map(|text| text.chars().take(ERROR_CHARS_MAX).collect()),
        }
    }
}

#[cfg(test)]
mod tests;
