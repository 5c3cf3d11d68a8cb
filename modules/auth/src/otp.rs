//! One-time codes: how one is made, what is kept of it, when it is right.

use std::time::Duration;

use halobestie_core::entropy::Entropy;
use secrecy::SecretString;
use subtle::{Choice, ConstantTimeEq};
use uuid::Uuid;

use crate::keys::{Hash, Keys, Purpose};

/// How long a code is good.
pub(crate) const LIFE: Duration = Duration::from_secs(5 * 60);
/// How often a code may be guessed at.
pub(crate) const ATTEMPTS: i16 = 5;

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

/// A new code, each as likely as any other.
pub(crate) fn new_code(entropy: &Entropy) -> SecretString {
    const CODES: u64 = 1_000_000;
    format!("{:06}", entropy.below(CODES)).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use secrecy::ExposeSecret;

    use super::*;

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
    fn a_new_code_is_a_code_and_another_each_time() {
        let entropy = Entropy::seeded(1);
        let codes: Vec<SecretString> = (0..1000).map(|_| new_code(&entropy)).collect();
        assert!(codes.iter().all(|code| is_code(code.expose_secret())));
        let distinct: BTreeSet<&str> = codes.iter().map(ExposeSecret::expose_secret).collect();
        assert!(distinct.len() > 990);
        // Leading zeros are there as often as they should be.
        let zeros = distinct.iter().filter(|code| code.starts_with('0'));
        assert!((50..200).contains(&zeros.count()));
    }
}
