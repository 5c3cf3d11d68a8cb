//! Access tokens: JWT, HS256 and nothing else, checked against core's clock, without any I/O.
//!
//! The library checks form, algorithm, signature and issuer. Times are compared here, because the
//! library reads the machine's clock.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::ports::{Principal, Role, TokenRejected};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::Keys;

const ISSUER: &str = "halobestie";
/// How far ahead the clock of the replica that signed may be.
pub(crate) const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Whom an access token is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    /// The person.
    pub(crate) user_id: Uuid,
    /// What they are.
    pub(crate) role: Role,
    /// The sign-in session.
    pub(crate) session_id: Uuid,
}

impl Subject {
    /// Whom a caller's own token or cookie is for.
    pub(crate) fn of(caller: &Principal) -> Self {
        Self {
            user_id: caller.user_id,
            role: caller.role,
            session_id: caller.session_id,
        }
    }
}

/// What a token says.
#[derive(Clone, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    role: Role,
    sid: Uuid,
    iat: i64,
    exp: i64,
    /// We set none. One that is there is kept to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

/// Signs and verifies.
pub(crate) struct AccessTokens {
    signing: EncodingKey,
    verifying: Vec<DecodingKey>,
    validation: Validation,
    life: Duration,
}

impl AccessTokens {
    /// Tokens under these secrets that live this long.
    pub(crate) fn new(keys: &Keys, life: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_exp = false;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        Self {
            signing: EncodingKey::from_secret(keys.current()),
            verifying: keys.all().map(DecodingKey::from_secret).collect(),
            validation,
            life,
        }
    }

    /// How long a token lives.
    pub(crate) fn life(&self) -> Duration {
        self.life
    }

    /// A new token.
    ///
    /// # Errors
    /// When the claims cannot be written, which is a bug of ours.
    pub(crate) fn sign(
        &self,
        subject: Subject,
        now: Timestamp,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: subject.user_id,
            role: subject.role,
            sid: subject.session_id,
            iat: now.unix_seconds(),
            exp: (now + self.life).unix_seconds(),
            nbf: None,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
    }

    /// Says whose token this is. Revocation is not looked at here.
    ///
    /// # Errors
    /// Why it was refused.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, TokenRejected> {
        let claims = self.claims(token)?;
        let issued_at = unix_seconds(claims.iat)?;
        let not_before = claims.nbf.map(unix_seconds).transpose()?;
        if issued_at.max(not_before.unwrap_or(issued_at)) > now + CLOCK_SKEW {
            return Err(TokenRejected::Invalid);
        }
        // Whatever life it was given: a revocation is remembered no longer than one of ours lives, so
        // one that was signed while AUTH_ACCESS_SECONDS was longer ends with the shorter.
        let expires_at = unix_seconds(claims.exp)?.min(issued_at + self.life);
        if expires_at <= now {
            return Err(TokenRejected::Expired);
        }
        Ok(Principal {
            user_id: claims.sub,
            role: claims.role,
            session_id: claims.sid,
            expires_at,
        })
    }

    fn claims(&self, token: &str) -> Result<Claims, TokenRejected> {
        for key in &self.verifying {
            match jsonwebtoken::decode::<Claims>(token, key, &self.validation) {
                Ok(token) => return Ok(token.claims),
                // Signed under another secret: one of before, or somebody else's.
                Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {}
                Err(_) => return Err(TokenRejected::Invalid),
            }
        }
        Err(TokenRejected::Invalid)
    }
}

fn unix_seconds(seconds: i64) -> Result<Timestamp, TokenRejected> {
    seconds
        .checked_mul(1000)
        .map(Timestamp::from_unix_ms)
        .ok_or(TokenRejected::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[u8] = b"an old secret of at least thirty-two bytes";
    const NEW: &[u8] = b"a new secret of at least thirty-two bytes.";
    const LIFE: Duration = Duration::from_secs(900);

    fn tokens(secrets: &[&'static [u8]]) -> AccessTokens {
        AccessTokens::new(&Keys::new(secrets.iter().copied()).unwrap(), LIFE)
    }

    fn subject() -> Subject {
        let id = Uuid::from_u128;
        Subject {
            user_id: id(1),
            role: Role::Customer,
            session_id: id(2),
        }
    }

    fn noon() -> Timestamp {
        Timestamp::parse("2026-01-01T12:00:00Z").unwrap()
    }

    #[test]
    fn what_is_signed_verifies_until_its_last_millisecond() {
        let tokens = tokens(&[NEW]);
        let token = tokens.sign(subject(), noon()).unwrap();
        let principal = tokens.verify(&token, noon()).unwrap();
        assert_eq!(principal.user_id, subject().user_id);
        assert_eq!(principal.role, Role::Customer);
        assert_eq!(principal.session_id, subject().session_id);
        assert_eq!(principal.expires_at, noon() + LIFE);
        let last = noon() + LIFE - Duration::from_millis(1);
        assert!(tokens.verify(&token, last).is_ok());
        assert_eq!(
            tokens.verify(&token, noon() + LIFE),
            Err(TokenRejected::Expired)
        );
    }

    #[test]
    fn a_previous_secret_verifies_and_a_dropped_one_does_not() {
        let old = tokens(&[OLD]).sign(subject(), noon()).unwrap();
        assert!(tokens(&[NEW, OLD]).verify(&old, noon()).is_ok());
        assert_eq!(
            tokens(&[NEW]).verify(&old, noon()),
            Err(TokenRejected::Invalid)
        );
    }

    #[test]
    fn a_token_from_the_future_is_refused() {
        let tokens = tokens(&[NEW]);
        let token = tokens.sign(subject(), noon() + CLOCK_SKEW).unwrap();
        assert!(tokens.verify(&token, noon()).is_ok());
        let token = tokens
            .sign(subject(), noon() + CLOCK_SKEW + Duration::from_secs(1))
            .unwrap();
        assert_eq!(tokens.verify(&token, noon()), Err(TokenRejected::Invalid));
    }

    fn signed(tokens: &AccessTokens, changes: &[(&str, i64)]) -> String {
        let now = noon().unix_seconds();
        let mut claims = serde_json::json!({
            "iss": ISSUER, "sub": subject().user_id, "role": "customer",
            "sid": subject().session_id, "iat": now, "exp": now + 900,
        });
        for (claim, value) in changes {
            claims[claim] = (*value).into();
        }
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &tokens.signing).unwrap()
    }

    #[test]
    fn a_token_that_is_not_to_be_used_yet_is_refused() {
        let tokens = tokens(&[NEW]);
        let now = noon().unix_seconds();
        let of = |nbf| {
            tokens
                .verify(&signed(&tokens, &[("nbf", nbf)]), noon())
                .map(drop)
        };
        assert_eq!(of(now), Ok(()));
        assert_eq!(of(now + 60), Ok(()));
        assert_eq!(of(now + 61), Err(TokenRejected::Invalid));
        assert_eq!(of(i64::MAX), Err(TokenRejected::Invalid));
    }

    #[test]
    fn no_token_outlives_what_a_token_lives_now() {
        let tokens = tokens(&[NEW]);
        let year = signed(&tokens, &[("exp", noon().unix_seconds() + 31_536_000)]);
        let principal = tokens.verify(&year, noon()).unwrap();
        assert_eq!(principal.expires_at, noon() + LIFE);
        assert_eq!(
            tokens.verify(&year, noon() + LIFE),
            Err(TokenRejected::Expired)
        );
    }

    #[test]
    fn a_claim_that_cannot_be_an_instant_is_refused() {
        let tokens = tokens(&[NEW]);
        for claim in ["iat", "exp"] {
            let token = signed(&tokens, &[(claim, i64::MAX)]);
            assert_eq!(
                tokens.verify(&token, noon()),
                Err(TokenRejected::Invalid),
                "{claim}"
            );
        }
    }
}
