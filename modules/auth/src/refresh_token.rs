//! Refresh tokens: their form and their successors.
//!
//! A token is `session id (16) ‖ secret (32) ‖ mark (16)` in base64url. The first secret of a session
//! is random; each later one is a keyed hash of the token before. So whoever shows the token before
//! again can be given the *same* successor: a lost answer and two tabs both end with one living token,
//! and no second one ever exists. The mark tells a token that once was ours from bytes that somebody
//! put behind a session id they have seen: only the former is theft.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use halobestie_core::entropy::Entropy;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::keys::{Hash, Keys, Purpose, derived_hash};

/// How long a token lives that nobody shows.
pub(crate) const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

const ID_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
const MARK_BYTES: usize = 16;
const BYTES: usize = ID_BYTES + SECRET_BYTES + MARK_BYTES;

/// A token as it travels. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken([u8; BYTES]);

impl RefreshToken {
    /// The first token of a session.
    pub(crate) fn first(session_id: Uuid, entropy: &Entropy, keys: &Keys) -> Self {
        Self::marked(session_id, entropy.bytes(), keys.current())
    }

    /// The token that replaces this one.
    pub(crate) fn successor(&self, keys: &Keys) -> Self {
        self.successor_under(keys.current())
    }

    /// The token that has replaced this one, known by its hash, under whichever secret it was made.
    pub(crate) fn successor_with_hash(&self, keys: &Keys, hash: &[u8]) -> Option<Self> {
        keys.all()
            .map(|secret| self.successor_under(secret))
            .find(|token| token.hash().ct_eq(hash).into())
    }

    /// Reads a token. `None` when it cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The token as text.
    pub(crate) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The session that it claims to be of.
    pub(crate) fn session_id(&self) -> Uuid {
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&self.0[..ID_BYTES]);
        Uuid::from_bytes(id)
    }

    /// What is stored of it.
    pub(crate) fn hash(&self) -> Hash {
        Sha256::digest(self.0).into()
    }

    /// Whether it was made here. A token of before the last dropped secret is not recognised, which
    /// only makes its late use less loud.
    pub(crate) fn is_ours(&self, keys: &Keys) -> bool {
        let (body, mark) = self.0.split_at(ID_BYTES + SECRET_BYTES);
        keys.all()
            .any(|secret| mark_of(body, secret).ct_eq(mark).into())
    }

    fn successor_under(&self, secret: &[u8]) -> Self {
        let next = derived_hash(secret, Purpose::RefreshSuccessor, &[&self.0]);
        Self::marked(self.session_id(), next, secret)
    }

    fn marked(session_id: Uuid, token_secret: [u8; SECRET_BYTES], secret: &[u8]) -> Self {
        let mut bytes = [0; BYTES];
        let (body, mark) = bytes.split_at_mut(ID_BYTES + SECRET_BYTES);
        body[..ID_BYTES].copy_from_slice(session_id.as_bytes());
        body[ID_BYTES..].copy_from_slice(&token_secret);
        mark.copy_from_slice(&mark_of(body, secret));
        Self(bytes)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RefreshToken([redacted])")
    }
}

fn mark_of(body: &[u8], secret: &[u8]) -> [u8; MARK_BYTES] {
    let hash = derived_hash(secret, Purpose::RefreshMark, &[body]);
    let mut mark = [0; MARK_BYTES];
    mark.copy_from_slice(&hash[..MARK_BYTES]);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(keys: &Keys) -> RefreshToken {
        RefreshToken::first(Uuid::from_u128(7), &Entropy::seeded(1), keys)
    }

    fn keys(secrets: &[&'static [u8]]) -> Keys {
        Keys::new(secrets.iter().copied()).unwrap()
    }

    #[test]
    fn a_token_survives_its_text() {
        let shown = first(&keys(&[b"a secret"]));
        assert_eq!(RefreshToken::parse(&shown.encode()), Some(shown.clone()));
        let mut longer = shown.encode();
        longer.push('A');
        for wrong in ["", "not a token", &shown.encode()[1..], &longer] {
            assert!(RefreshToken::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_successor_is_always_the_same_and_of_the_same_session() {
        let keys = keys(&[b"a secret"]);
        let shown = first(&keys);
        let successor = shown.successor(&keys);
        assert_eq!(successor, shown.successor(&keys));
        assert_ne!(successor, shown);
        assert_eq!(successor.session_id(), shown.session_id());
        assert!(successor.is_ours(&keys));
    }

    #[test]
    fn a_successor_is_found_under_a_rotated_secret() {
        let old = keys(&[b"old"]);
        let both = keys(&[b"new", b"old"]);
        let shown = first(&keys(&[b"a secret"]));
        let made = shown.successor(&old);
        assert_ne!(made, shown.successor(&both));
        assert_eq!(
            shown.successor_with_hash(&both, &made.hash()),
            Some(made.clone())
        );
        assert!(
            shown
                .successor_with_hash(&keys(&[b"new"]), &made.hash())
                .is_none()
        );
    }
}
