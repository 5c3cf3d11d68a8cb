//! Ten thousand lives of a session, held against the published rule.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::entropy::Entropy;
use proptest::prelude::*;
use uuid::Uuid;

use super::schedule::{REUSE, Rule, Said, Step, anything, rightful, theft};
use super::{Family, Verdict, judge};
use crate::keys::Keys;
use crate::refresh_token::{LIFE, RefreshToken};

/// A session as the database has it, and every token that it ever had.
struct Session {
    secrets: Vec<Vec<u8>>,
    keys: Keys,
    now: Timestamp,
    family: Family,
    tokens: Vec<RefreshToken>,
}

impl Session {
    fn new() -> Self {
        let secrets = vec![b"the first secret".to_vec()];
        let keys = keys(&secrets);
        let now = Timestamp::from_unix_ms(1_000_000);
        let first = RefreshToken::first(Uuid::from_u128(7), &Entropy::seeded(1), &keys);
        let family = Family {
            refresh_hash: first.hash().to_vec(),
            previous_hash: None,
            rotated_at: None,
            previous_uses: 0,
            refresh_expires_at: now + LIFE,
            revoked_at: None,
            user_is_active: true,
        };
        Self {
            secrets,
            keys,
            now,
            family,
            tokens: vec![first],
        }
    }

    fn step(&mut self, step: Step) -> Option<Said> {
        match step {
            Step::Show(back) => return Some(self.show(self.tokens.len().checked_sub(back + 1)?)),
            Step::Wait(duration) => self.now = self.now + duration,
            Step::NewSecret => {
                let secret = format!("secret {}", self.secrets.len()).into_bytes();
                self.secrets.insert(0, secret);
                self.keys = keys(&self.secrets);
            }
        }
        None
    }

    /// What `store::sessions::rotate` and `handlers::refresh` do.
    fn show(&mut self, index: usize) -> Said {
        let shown = self.tokens[index].clone();
        let is_alive =
            self.family.revoked_at.is_none() && self.family.refresh_expires_at > self.now;
        if is_alive && self.family.refresh_hash == shown.hash() {
            let successor = shown.successor(&self.keys);
            self.family = Family {
                previous_hash: Some(std::mem::take(&mut self.family.refresh_hash)),
                refresh_hash: successor.hash().to_vec(),
                rotated_at: Some(self.now),
                previous_uses: 0,
                refresh_expires_at: self.now + LIFE,
                ..self.family.clone()
            };
            self.tokens.push(successor);
            return Said::Next;
        }
        match judge(&self.family, &shown, &self.keys, self.now, REUSE) {
            Verdict::Reissue(token) => {
                assert_eq!(Some(&token), self.tokens.last(), "no second living token");
                self.family.previous_uses += 1;
                Said::Again
            }
            Verdict::Reused => {
                self.family.revoked_at = Some(self.now);
                Said::Reused
            }
            Verdict::Invalid => Said::Invalid,
            Verdict::Disabled => panic!("nobody is disabled here"),
        }
    }

    /// How many of all tokens would be replaced if they were shown now.
    fn living(&self) -> usize {
        if self.family.revoked_at.is_some() {
            return 0;
        }
        let is_living = |it: &&RefreshToken| self.family.refresh_hash == it.hash();
        self.tokens.iter().filter(is_living).count()
    }
}

fn keys(secrets: &[Vec<u8>]) -> Keys {
    Keys::new(secrets.iter().map(Vec::as_slice)).unwrap()
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn whatever_is_shown_the_rule_is_kept_and_one_token_lives(steps in anything()) {
        let (mut session, mut rule) = (Session::new(), Rule::default());
        for step in steps {
            if let Step::Wait(duration) = step {
                rule.wait(duration);
            }
            let Some(said) = session.step(step) else { continue };
            let Step::Show(back) = step else { continue };
            prop_assert_eq!(said, rule.show(back), "{:?}", step);
            prop_assert_eq!(session.living(), usize::from(!rule.is_revoked()));
        }
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn who_keeps_to_the_rule_is_never_signed_out(steps in rightful()) {
        let mut session = Session::new();
        for step in steps {
            let said = session.step(step);
            prop_assert!(matches!(said, None | Some(Said::Next | Said::Again)), "{:?}", step);
            prop_assert_eq!(session.living(), 1);
        }
    }

    #[test]
    fn theft_is_caught_when_the_second_of_the_two_comes(moves in theft()) {
        let mut session = Session::new();
        // Which token each of them holds.
        let mut held = [0, 0];
        let mut has_come = [false, false];
        for (is_owner, pause) in moves {
            let who = usize::from(is_owner);
            has_come[who] = true;
            let said = session.show(held[who]);
            if said == Said::Next {
                held[who] = session.tokens.len() - 1;
            }
            let both = has_come == [true, true];
            prop_assert_eq!(session.living(), usize::from(!both));
            prop_assert_eq!(said == Said::Next, !both);
            session.now = session.now + pause;
        }
    }
}

#[test]
fn the_tolerance_ends_with_its_last_millisecond() {
    let after = |wait: Duration| {
        let mut session = Session::new();
        session.show(0);
        session.now = session.now + wait;
        session.show(0)
    };
    assert_eq!(after(REUSE), Said::Again);
    assert_eq!(after(REUSE + Duration::from_millis(1)), Said::Reused);
}
