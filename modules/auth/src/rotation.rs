//! What a refresh token means that is not the living one of its session: a lost answer, theft, or
//! nothing. A pure rule; `handlers::refresh` carries it out.

#[cfg(test)]
#[path = "../tests/suite/schedule.rs"]
mod schedule;
#[cfg(test)]
mod schedules;

use std::time::Duration;

use halobestie_core::Timestamp;
use subtle::ConstantTimeEq;

use crate::keys::Keys;
use crate::refresh_token::RefreshToken;

/// What the database knows of a session whose token was not simply the living one.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    /// The hash of the living token.
    pub(crate) refresh_hash: Vec<u8>,
    /// The hash of the one before.
    pub(crate) previous_hash: Option<Vec<u8>>,
    /// When that was replaced.
    pub(crate) rotated_at: Option<Timestamp>,
    /// How often it was shown since.
    pub(crate) previous_uses: i16,
    /// When the living token ends.
    pub(crate) refresh_expires_at: Timestamp,
    /// When the session was revoked.
    pub(crate) revoked_at: Option<Timestamp>,
    /// Whether its person may sign in.
    pub(crate) user_is_active: bool,
}

/// What to do about a token that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Just replaced, shown once more in time: give its successor, this one, again.
    Reissue(RefreshToken),
    /// A replaced token in the wrong hands, or its successor in them: revoke the session.
    Reused,
    /// The person may not sign in any more: revoke the session.
    Disabled,
    /// Not, or no longer, a token.
    Invalid,
}

/// Judges a token that could not be rotated.
pub(crate) fn judge(
    family: &Family,
    shown: &RefreshToken,
    keys: &Keys,
    now: Timestamp,
    reuse: Duration,
) -> Verdict {
    if family.revoked_at.is_some() || family.refresh_expires_at <= now {
        return Verdict::Invalid;
    }
    // A cookie carries the session, and has ended all its tokens: showing one is late, and no theft.
    if family.refresh_hash.is_empty() {
        return Verdict::Invalid;
    }
    let hash = shown.hash();
    let is_previous = family
        .previous_hash
        .as_ref()
        .is_some_and(|previous| previous.ct_eq(&hash).into());
    let is_living: bool = family.refresh_hash.ct_eq(&hash).into();
    if (is_living || is_previous) && !family.user_is_active {
        return Verdict::Disabled;
    }
    if is_previous {
        let in_time = family
            .rotated_at
            .is_some_and(|rotated_at| now.since(rotated_at) <= reuse);
        if !in_time || family.previous_uses > 0 {
            return Verdict::Reused;
        }
        // Not found only where the secret that made it was dropped within those seconds.
        let successor = shown.successor_with_hash(keys, &family.refresh_hash);
        return successor.map_or(Verdict::Invalid, Verdict::Reissue);
    }
    if is_living {
        // It could not be rotated a moment ago, and now it could: the account was disabled between.
        return Verdict::Invalid;
    }
    if shown.is_ours(keys) {
        Verdict::Reused
    } else {
        Verdict::Invalid
    }
}

#[cfg(test)]
mod tests {
    use halobestie_core::clock::Clock;
    use halobestie_core::entropy::Entropy;

    use super::*;
    use crate::refresh_token::LIFE;

    const REUSE: Duration = Duration::from_secs(10);

    struct Case {
        keys: Keys,
        shown: RefreshToken,
        family: Family,
        now: Timestamp,
    }

    /// A session whose first token has just been replaced, once.
    fn rotated() -> Case {
        let keys = Keys::new([b"a secret".as_slice()]).unwrap();
        let entropy = Entropy::seeded(1);
        let clock = Clock::manual(Timestamp::from_unix_ms(1_000_000));
        let shown = RefreshToken::first(entropy.uuid(&clock), &entropy, &keys);
        let now = clock.now();
        let family = Family {
            refresh_hash: shown.successor(&keys).hash().to_vec(),
            previous_hash: Some(shown.hash().to_vec()),
            rotated_at: Some(now),
            previous_uses: 0,
            refresh_expires_at: now + LIFE,
            revoked_at: None,
            user_is_active: true,
        };
        Case {
            keys,
            shown,
            family,
            now,
        }
    }

    fn verdict(case: &Case) -> Verdict {
        judge(&case.family, &case.shown, &case.keys, case.now, REUSE)
    }

    #[test]
    fn once_more_in_time_is_the_same_successor() {
        let mut case = rotated();
        let successor = case.shown.successor(&case.keys);
        assert_eq!(verdict(&case), Verdict::Reissue(successor.clone()));
        case.now = case.now + REUSE;
        assert_eq!(verdict(&case), Verdict::Reissue(successor));
    }

    #[test]
    fn any_other_second_use_is_theft() {
        let mut late = rotated();
        late.now = late.now + REUSE + Duration::from_millis(1);
        assert_eq!(verdict(&late), Verdict::Reused);

        let mut third = rotated();
        third.family.previous_uses = 1;
        assert_eq!(verdict(&third), Verdict::Reused);

        // The successor has been used, so two tokens have followed the one that is shown.
        let mut older = rotated();
        let successor = older.shown.successor(&older.keys);
        older.family.previous_hash = Some(successor.hash().to_vec());
        older.family.refresh_hash = successor.successor(&older.keys).hash().to_vec();
        assert_eq!(verdict(&older), Verdict::Reused);
    }

    #[test]
    fn bytes_that_were_never_a_token_revoke_nothing() {
        let mut case = rotated();
        let somebodys = Keys::new([b"another secret".as_slice()]).unwrap();
        case.shown = RefreshToken::first(case.shown.session_id(), &Entropy::seeded(2), &somebodys);
        assert_eq!(verdict(&case), Verdict::Invalid);
    }

    #[test]
    fn a_dead_session_has_no_tokens() {
        let mut revoked = rotated();
        revoked.family.revoked_at = Some(revoked.now);
        assert_eq!(verdict(&revoked), Verdict::Invalid);

        let mut expired = rotated();
        expired.family.refresh_expires_at = expired.now;
        assert_eq!(verdict(&expired), Verdict::Invalid);
    }

    #[test]
    fn a_disabled_account_loses_the_session() {
        let mut case = rotated();
        case.family.user_is_active = false;
        assert_eq!(verdict(&case), Verdict::Disabled);
        case.shown = case.shown.successor(&case.keys);
        assert_eq!(verdict(&case), Verdict::Disabled);
    }
}
