//! Keys derived from `AUTH_JWT_SECRET`, and one from `SESSION_SECRET`, one for each purpose, so that a value made for one purpose
//! says nothing about another. Secrets of before are kept after the current one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The result of a keyed or plain SHA-256.
pub(crate) type Hash = [u8; 32];

/// What a key is for. The label is part of the key and never changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The stored form of one-time codes.
    OtpCode,
    /// The stored form of phones and emails that are only compared.
    Contact,
    /// The successor of a refresh token.
    RefreshSuccessor,
    /// The mark by which a refresh token of ours is known.
    RefreshMark,
    /// The signature of a browser's cookie; under `SESSION_SECRET`.
    SessionCookie,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::OtpCode => b"halobestie auth otp code 1",
            Self::Contact => b"halobestie auth contact 1",
            Self::RefreshSuccessor => b"halobestie auth refresh successor 1",
            Self::RefreshMark => b"halobestie auth refresh mark 1",
            Self::SessionCookie => b"halobestie auth session cookie 1",
        }
    }
}

/// The secrets, the one that signs first. Never empty.
#[derive(Clone)]
pub(crate) struct Keys {
    current: Vec<u8>,
    previous: Vec<Vec<u8>>,
}

impl Keys {
    /// Keys from the secrets, the current one first. `None` without any.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut secrets = secrets.into_iter().map(<[u8]>::to_vec);
        let current = secrets.next()?;
        Some(Self {
            current,
            previous: secrets.collect(),
        })
    }

    /// The secret that signs.
    pub(crate) fn current(&self) -> &[u8] {
        &self.current
    }

    /// Every secret that verifies, the current one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.current.as_slice()).chain(self.previous.iter().map(Vec::as_slice))
    }

    /// The keyed hash of `parts` under the current secret.
    pub(crate) fn hash(&self, purpose: Purpose, parts: &[&[u8]]) -> Hash {
        derived_hash(&self.current, purpose, parts)
    }

    /// The keyed hash of `parts` under each secret.
    pub(crate) fn hashes<'a>(
        &'a self,
        purpose: Purpose,
        parts: &'a [&'a [u8]],
    ) -> impl Iterator<Item = Hash> + 'a {
        self.all()
            .map(move |secret| derived_hash(secret, purpose, parts))
    }
}

/// The keyed hash under the key that `secret` gives for this purpose.
pub(crate) fn derived_hash(secret: &[u8], purpose: Purpose, parts: &[&[u8]]) -> Hash {
    let key = hmac(secret, &[purpose.label()]);
    hmac(&key, parts)
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of any length (RFC 2104 §2)"
)]
fn hmac(key: &[u8], parts: &[&[u8]]) -> Hash {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_secrets_give_different_hashes() {
        let keys = Keys::new([b"one".as_slice(), b"two"]).unwrap();
        let otp = keys.hash(Purpose::OtpCode, &[b"123456"]);
        assert_ne!(otp, keys.hash(Purpose::Contact, &[b"123456"]));
        let both: Vec<Hash> = keys.hashes(Purpose::OtpCode, &[b"123456"]).collect();
        assert_eq!(both[0], otp);
        assert_ne!(both[1], otp);
    }

    #[test]
    fn hmac_is_the_published_one() {
        // RFC 4231 §4.3.
        let hash = hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(hash[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }
}
