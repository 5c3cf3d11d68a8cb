//! Every verdict, whatever the policy, the attempt and chance.

use proptest::prelude::*;

use super::*;
use crate::jobs::policy::{Backoff, Unique};

const NOW: Timestamp = Timestamp::from_unix_ms(1_768_464_000_000);

prop_compose! {
    fn policies()(
        attempts_max in 1u32..20,
        first_ms in 0u64..10_000,
        factor in 1.0f64..5.0,
        jitter in 0.0f64..=1.0,
        is_dead_when_late: bool,
        keep_ms in 0u64..100_000,
    ) -> Policy {
        Policy {
            attempts_max,
            backoff: Backoff {
                first: Duration::from_millis(first_ms),
                factor,
                max: Duration::from_secs(60),
                jitter,
            },
            when_late: if is_dead_when_late { Late::Dead } else { Late::Forgotten },
            unique: Unique::WhileUnfinished,
            keep_done: Duration::from_millis(keep_ms),
            ..Policy::DEFAULT
        }
    }
}

#[derive(Clone, Debug)]
enum Told {
    Retry(Option<u64>),
    NotYet(u64),
    TimedOut,
    Panicked,
}

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![
        proptest::option::of(0u64..200_000).prop_map(Told::Retry),
        (0u64..200_000).prop_map(Told::NotYet),
        Just(Told::TimedOut),
        Just(Told::Panicked),
    ]
}

impl Told {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Retry(None) => Outcome::Failed("no".into()),
            Self::Retry(Some(ms)) => {
                Outcome::Failed(Failure::retry_after(Duration::from_millis(*ms), "no"))
            }
            Self::NotYet(ms) => Outcome::Failed(Failure::not_yet(Duration::from_millis(*ms), "no")),
            Self::TimedOut => Outcome::TimedOut,
            Self::Panicked => Outcome::Panicked,
        }
    }

    /// How long the handler wanted nobody to try.
    fn wait(&self) -> Duration {
        match self {
            Self::Retry(Some(ms)) | Self::NotYet(ms) => Duration::from_millis(*ms),
            _ => Duration::ZERO,
        }
    }
}

fn case(policy: &Policy, attempts: u32, life_ms: u64, chance: f64) -> Case<'_> {
    Case {
        policy,
        attempts,
        deadline: NOW + Duration::from_millis(life_ms),
        now: NOW,
        chance,
    }
}

proptest! {
    #[test]
    fn nothing_waits_until_its_deadline_or_longer(
        policy in policies(), attempts in 1u32..20, life_ms in 0u64..300_000,
        told in told(), chance in 0.0f64..=1.0,
    ) {
        let case = case(&policy, attempts, life_ms, chance);
        if let State::Waiting(at) = case.judge(told.outcome()).state {
            prop_assert!(at < case.deadline);
            prop_assert!(at >= NOW + told.wait());
        }
    }

    #[test]
    fn what_fails_every_time_is_dead_after_its_last_attempt(
        policy in policies(), told in told(), chance in 0.0f64..=1.0,
    ) {
        let far = 1_000_000_000;
        let mut attempts = 0;
        for round in 1..=policy.attempts_max {
            let verdict = case(&policy, attempts + 1, far, chance).judge(told.outcome());
            attempts = verdict.attempts;
            match (&told, verdict.state) {
                (Told::NotYet(_), State::Waiting(_)) => prop_assert_eq!(attempts, 0),
                (_, State::Waiting(_)) => prop_assert!(round < policy.attempts_max),
                (_, State::Dead(_)) => prop_assert_eq!(round, policy.attempts_max),
                (_, state) => prop_assert!(false, "{state:?}"),
            }
        }
    }

    #[test]
    fn late_is_what_the_policy_says(policy in policies(), attempts in 1u32..20) {
        let state = case(&policy, attempts, 0, 0.5).judge(Outcome::Late).state;
        match policy.when_late {
            Late::Dead => prop_assert_eq!(state, State::Dead(NOW + DEAD_KEPT)),
            Late::Forgotten => prop_assert_eq!(state, State::Late(NOW + policy.keep_done)),
        }
    }

    #[test]
    fn given_up_is_dead_whatever_is_left(policy in policies(), attempts in 1u32..20) {
        let outcome = Outcome::Failed(Failure::give_up("gone for good"));
        let verdict = case(&policy, attempts, 300_000, 0.5).judge(outcome);
        prop_assert_eq!(verdict.state, State::Dead(NOW + DEAD_KEPT));
        prop_assert_eq!(verdict.error.as_deref(), Some("gone for good"));
    }
}

#[test]
fn given_back_costs_no_attempt_and_no_time() {
    let verdict = case(&Policy::DEFAULT, 3, 1000, 0.5).judge(Outcome::GivenBack);
    assert_eq!(verdict.state, State::Waiting(NOW));
    assert_eq!((verdict.attempts, verdict.error), (2, None));
}

#[test]
fn not_yet_never_turns_in_a_circle() {
    let outcome = Outcome::Failed(Failure::not_yet(Duration::ZERO, "wait"));
    let verdict = case(&Policy::DEFAULT, 1, 1000, 0.5).judge(outcome);
    assert_eq!(verdict.state, State::Waiting(NOW + NOT_YET_MIN));
}

#[test]
fn an_errors_text_is_kept_with_its_causes_and_cut() {
    let long = "é".repeat(2000);
    let verdict = case(&Policy::DEFAULT, 1, 100_000, 0.5).judge(Outcome::Failed(long.into()));
    let kept = verdict.error.unwrap();
    assert_eq!(kept.chars().count(), ERROR_CHARS_MAX);
}
