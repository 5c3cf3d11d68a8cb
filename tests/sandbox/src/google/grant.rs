//! The token endpoint: an assertion that is signed by the service account for an access token.

use std::time::Duration;

use halobestie_core::timestamp::Timestamp;
use http::StatusCode;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use super::account;
use super::api::{AccessToken, Api};
use super::errors::token_error;
use crate::upstream::{Answer, Call};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPES: &[&str] = &[
    "https://www.googleapis.com/auth/firebase.messaging",
    "https://www.googleapis.com/auth/cloud-platform",
];
/// An assertion's life at most.
const LIFE_SECONDS_MAX: i64 = 3600;
const UNREASONABLE: &str = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a \
     reasonable timeframe. Check your iat and exp values in the JWT claim.";

impl Api {
    /// Gives a token for an assertion.
    pub(super) fn grant(&self, call: &Call) -> Result<Answer, Answer> {
        if !call.is("application/x-www-form-urlencoded") {
            return Err(invalid_request("the body must be a form"));
        }
        let assertion = assertion(&call.body)?;
        let claims = self.signed_claims(&assertion)?;
        self.check_claims(&claims)?;
        let life = self.access_token_life();
        let value = self.give_out(AccessToken {
            value: format!("ya29.{}", self.random_text()),
            expires: self.clock.now() + life,
        });
        let body = json!({
            "access_token": value,
            "token_type": "Bearer",
            "expires_in": life.as_secs(),
        });
        Ok(Answer::json(StatusCode::OK, &body))
    }

    /// The claims, if the account's key signed them.
    fn signed_claims(&self, assertion: &str) -> Result<Value, Answer> {
        let header = decode_header(assertion);
        let header = header.map_err(|_| invalid_grant("Invalid JWT: Failed to parse"))?;
        if header.alg != Algorithm::RS256 || header.typ.as_deref() != Some("JWT") {
            return Err(invalid_grant("Invalid JWT Signature."));
        }
        let key = account::key();
        if !self.key_exists() || header.kid.as_deref() != Some(key.id.as_str()) {
            return Err(invalid_grant("Invalid JWT Signature."));
        }
        // Times are judged below, by the sandbox's own clock.
        let mut validation = Validation::new(Algorithm::RS256);
        (validation.validate_exp, validation.validate_aud) = (false, false);
        validation.required_spec_claims.clear();
        let decoded = decode::<Value>(
            assertion,
            &DecodingKey::from_rsa_der(&key.public_der),
            &validation,
        );
        let decoded = decoded.map_err(|_| invalid_grant("Invalid JWT Signature."))?;
        Ok(decoded.claims)
    }

    fn check_claims(&self, claims: &Value) -> Result<(), Answer> {
        let email = account::email(&self.project_id);
        if claims["iss"] != email.as_str() {
            return Err(invalid_grant("Invalid grant: account not found"));
        }
        if claims.get("sub").is_some_and(|it| *it != email.as_str()) {
            let words = "Client is unauthorized to retrieve access tokens using this method";
            return Err(token_error("unauthorized_client", words));
        }
        if claims["aud"] != self.token_uri.as_str() {
            return Err(invalid_grant("Invalid JWT: Failed audience check."));
        }
        let scopes = claims["scope"].as_str().unwrap_or_default();
        let known = scopes.split_whitespace().all(|it| SCOPES.contains(&it));
        if !known || scopes.trim().is_empty() {
            return Err(token_error(
                "invalid_scope",
                "Invalid OAuth scope or ID token audience provided.",
            ));
        }
        match (claims["iat"].as_i64(), claims["exp"].as_i64()) {
            (Some(iat), Some(exp)) if is_reasonable(iat, exp, self.clock.now()) => Ok(()),
            _ => Err(invalid_grant(UNREASONABLE)),
        }
    }
}

/// Not of the future, not over, not for longer than an hour.
fn is_reasonable(iat: i64, exp: i64, now: Timestamp) -> bool {
    let now = now.unix_seconds();
    iat <= now && now < exp && exp - iat <= LIFE_SECONDS_MAX
}

/// The assertion of a form that has nothing else.
fn assertion(body: &[u8]) -> Result<String, Answer> {
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(body)
        .map_err(|_| invalid_request("the body must be a form"))?;
    let one = |name: &str| {
        let mut values = form.iter().filter(|(it, _)| it == name);
        let value = values.next().map(|(_, value)| value.clone());
        value.filter(|_| values.next().is_none())
    };
    if let Some((name, _)) = form
        .iter()
        .find(|(it, _)| it != "grant_type" && it != "assertion")
    {
        return Err(invalid_request(&format!("Unknown parameter: {name}")));
    }
    match one("grant_type").as_deref() {
        Some(GRANT_TYPE) => {}
        Some(other) => {
            let words = format!("Invalid grant_type: {other}");
            return Err(token_error("unsupported_grant_type", &words));
        }
        None => return Err(invalid_request("Missing required parameter: grant_type")),
    }
    one("assertion").ok_or_else(|| invalid_request("Missing required parameter: assertion"))
}

fn invalid_grant(description: &str) -> Answer {
    token_error("invalid_grant", description)
}

fn invalid_request(description: &str) -> Answer {
    token_error("invalid_request", description)
}

/// What tokens live, unless said otherwise.
pub(super) const USUAL_LIFE: Duration = Duration::from_secs(3599);
