//! Access tokens, signed as the servers under measurement verify them: HS256 under the secret that they
//! were started with.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;

/// Shorter than the longest life that a server may grant, long enough for any round.
const LIFE: Duration = Duration::from_secs(6 * 3600);

/// Who somebody is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Customer,
    Mitra,
}

/// Signs tokens.
#[derive(Clone)]
pub(crate) struct Mint(Hmac<Sha256>);

impl Mint {
    /// Under this secret.
    pub(crate) fn new(secret: &str) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        Self(Hmac::new_from_slice(secret.as_bytes()).expect("a key of any length"))
    }

    /// A token of somebody, in a sign-in session of its own that nobody has recorded or revoked.
    pub(crate) fn token(&self, user_id: Uuid, role: Role) -> String {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default();
        let claims = json!({
            "iss": "halobestie",
            "sub": user_id,
            "role": match role { Role::Customer => "customer", Role::Mitra => "mitra" },
            "sid": user_id,
            "iat": now.as_secs(),
            "exp": (now + LIFE).as_secs(),
        });
        let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"HS256"}"#);
        let body = URL_SAFE_NO_PAD.encode(claims.to_string());
        let signed = format!("{head}.{body}");
        let signature = self.0.clone().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The HMAC of a text in hexadecimal: Pusher's way to sign in to a channel.
    pub(crate) fn hex(&self, text: &str) -> String {
        let signature = self.0.clone().chain_update(text).finalize().into_bytes();
        signature.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // RFC 4231, test case 2.
        let mint = Mint::new("Jefe");
        assert_eq!(
            mint.hex("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_token_has_three_parts_and_says_who() {
        let id = Uuid::from_u128(7);
        let token = Mint::new("secret").token(id, Role::Mitra);
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["sub"], id.to_string());
        assert_eq!(claims["role"], "mitra");
    }
}
