//! The links that bring a browser back from paying, signed so that nobody reads another's payment by
//! its id.
//!
//! The key comes out of Xendit's secret key by HMAC, so there is no other secret to keep; where that
//! is replaced, links of before lead to the page that says nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

const PURPOSE: &[u8] = b"halobestie: links back from paying, 1";

/// Signs links, and knows its own.
pub(crate) struct LinkKey([u8; 32]);

impl LinkKey {
    /// The key that comes out of this secret.
    pub(crate) fn of(secret: &SecretString) -> Self {
        let mut mac = mac(secret.expose_secret().as_bytes());
        mac.update(PURPOSE);
        Self(mac.finalize().into_bytes().into())
    }

    /// The query of a link: whose it is, and that we made it.
    pub(crate) fn query(&self, payment_id: Uuid) -> String {
        let signature = self.mac(payment_id).finalize().into_bytes();
        let signature = URL_SAFE_NO_PAD.encode(signature);
        format!("payment_id={payment_id}&sig={signature}")
    }

    /// Whether a link of this payment is ours; takes as long for every wrong one.
    pub(crate) fn is_ours(&self, payment_id: Uuid, signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature);
        signature.is_ok_and(|it| self.mac(payment_id).verify_slice(&it).is_ok())
    }

    fn mac(&self, payment_id: Uuid) -> Hmac<Sha256> {
        let mut mac = mac(&self.0);
        mac.update(payment_id.as_bytes());
        mac
    }
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of any length (RFC 2104 §2)"
)]
fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(key: &LinkKey, id: Uuid) -> String {
        key.query(id).split_once("&sig=").unwrap().1.to_owned()
    }

    #[test]
    fn a_signature_is_of_one_payment_and_one_key() {
        let (key, other) = (LinkKey::of(&"one".into()), LinkKey::of(&"two".into()));
        let (mine, theirs) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let signature = signature(&key, mine);
        assert!(key.is_ours(mine, &signature));
        assert!(!key.is_ours(theirs, &signature));
        assert!(!other.is_ours(mine, &signature));
        for wrong in ["", "AAAA", &signature[1..], &format!("{signature}=")] {
            assert!(!key.is_ours(mine, wrong), "{wrong}");
        }
    }
}
