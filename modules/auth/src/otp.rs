//! One-time codes: what is kept of one, when it is right, and how often one may be asked for.

use std::time::Duration;

use halobestie_core::Timestamp;
use subtle::{Choice, ConstantTimeEq};
use uuid::Uuid;

use crate::keys::{Hash, Keys, Purpose};

/// How long a code is good.
pub(crate) const LIFE: Duration = Duration::from_secs(5 * 60);
/// How often a code may be guessed at.
pub(crate) const ATTEMPTS: i16 = 5;
/// The window of the hourly limit.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

const DIGITS: usize = 6;

/// Whether a text can be a code.
pub(crate) fn is_code(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is kept of a code. The id is part of it, so equal codes look different.
pub(crate) fn code_hash(keys: &Keys, otp_id: Uuid, code: &str) -> Hash {
    keys.hash(Purpose::OtpCode, &[otp_id.as_bytes(), code.as_bytes()])
}

/// Whether this is the code, without telling by the time it takes how much of it is right.
pub(crate) fn is_right(keys: &Keys, otp_id: Uuid, code: &str, kept: &[u8]) -> bool {
    let parts: &[&[u8]] = &[otp_id.as_bytes(), code.as_bytes()];
    let hashes = keys.hashes(Purpose::OtpCode, parts);
    // Every secret is tried, whichever fits.
    hashes
        .fold(Choice::from(0), |found, hash| {
            found | hash.as_slice().ct_eq(kept)
        })
        .into()
}

/// How often one phone may ask for a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Between two codes.
    pub(crate) resend: Duration,
    /// In an hour.
    pub(crate) hourly: usize,
}

/// How long a phone must wait for its next code. `recent` is when codes were made for it in the last
/// hour, newest first. Zero means that it may have one now.
pub(crate) fn wait(recent: &[Timestamp], limits: Limits, now: Timestamp) -> Duration {
    let resend = recent.first().map(|newest| *newest + limits.resend);
    // The code that must leave the window before the next one fits into it.
    let hourly = limits
        .hourly
        .checked_sub(1)
        .and_then(|index| recent.get(index))
        .map(|it| *it + HOUR);
    resend
        .max(hourly)
        .map_or(Duration::ZERO, |free| free.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        resend: Duration::from_secs(30),
        hourly: 3,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1000)
    }

    fn wait_seconds(recent: &[i64], now: i64) -> u64 {
        let recent: Vec<Timestamp> = recent.iter().map(|seconds| at(*seconds)).collect();
        wait(&recent, LIMITS, at(now)).as_secs()
    }

    #[test]
    fn a_code_is_six_digits() {
        assert!(is_code("000000"));
        for wrong in ["", "12345", "1234567", "12345a", "１２３４５６", "12 456"] {
            assert!(!is_code(wrong), "{wrong}");
        }
    }

    #[test]
    fn only_the_code_of_this_id_is_right() {
        let keys = Keys::new([b"new".as_slice(), b"old"]).unwrap();
        let (id, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let kept = code_hash(&keys, id, "123456");
        assert!(is_right(&keys, id, "123456", &kept));
        assert!(!is_right(&keys, id, "123457", &kept));
        assert!(!is_right(&keys, other, "123456", &kept));
        assert!(!is_right(&keys, id, "123456", b""));
    }

    #[test]
    fn a_code_made_under_the_secret_before_is_right() {
        let before = Keys::new([b"old".as_slice()]).unwrap();
        let after = Keys::new([b"new".as_slice(), b"old"]).unwrap();
        let kept = code_hash(&before, Uuid::nil(), "123456");
        assert!(is_right(&after, Uuid::nil(), "123456", &kept));
    }

    #[test]
    fn the_next_code_waits_for_both_limits() {
        assert_eq!(wait_seconds(&[], 0), 0);
        assert_eq!(wait_seconds(&[100], 100), 30);
        assert_eq!(wait_seconds(&[100], 129), 1);
        assert_eq!(wait_seconds(&[100], 130), 0);
        // Three in the hour: the first must be an hour old.
        assert_eq!(wait_seconds(&[300, 200, 100], 1000), 2700);
        assert_eq!(wait_seconds(&[300, 200, 100], 3700), 0);
    }
}
