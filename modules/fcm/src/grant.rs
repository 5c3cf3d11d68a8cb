//! The grant: an assertion that the service account has signed, given to Google for an access token.
//!
//! Keeps nothing: when a token is got, and who uses it, is `access`'s. An assertion is made anew for
//! every exchange, since it ends as well.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::outbound::reqwest::{self, StatusCode};
use halobestie_core::{BoxError, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::body;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Our clock may be ahead of Google's by this much.
const SKEW: Duration = Duration::from_secs(10);
/// How long an assertion is good.
const ASSERTION_LIFE: Duration = Duration::from_secs(3600);
/// How long before its end a token is replaced.
const EARLY: Duration = Duration::from_secs(60);
/// What a token that does not say lives.
const USUAL_LIFE_SECONDS: u64 = 3600;

/// A token as Google has given it.
pub(crate) struct Given {
    /// For `Authorization: Bearer`.
    pub(crate) token: SecretString,
    /// When another one is to be got.
    pub(crate) refresh_at: Timestamp,
    /// When it is good no more.
    pub(crate) ends_at: Timestamp,
}

/// Why there was no token to be got.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotGiven {
    /// No answer.
    #[error("no answer of Google to our assertion")]
    Unanswered(#[source] BoxError),
    /// Google says no.
    #[error("Google gives no access token: {status}: {said}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// Its own words.
        said: String,
    },
    /// An answer that is none.
    #[error("Google's answer to our assertion cannot be read")]
    Unreadable,
    /// A bug of ours.
    #[error("cannot sign an assertion")]
    Unsigned(#[source] BoxError),
}

/// Who gets tokens.
pub(crate) struct Grants {
    client: reqwest::Client,
    account: Arc<Account>,
    clock: Clock,
}

impl Grants {
    /// Calls nobody yet.
    pub(crate) fn new(client: reqwest::Client, account: Arc<Account>, clock: Clock) -> Self {
        Self {
            client,
            account,
            clock,
        }
    }

    /// Exchanges an assertion for a token.
    ///
    /// # Errors
    /// See [`NotGiven`].
    pub(crate) async fn exchange(&self) -> Result<Given, NotGiven> {
        let asked_at = self.clock.now();
        let form = serde_urlencoded::to_string([
            ("grant_type", GRANT_TYPE),
            ("assertion", &self.assertion(asked_at)?),
        ]);
        let request = self
            .client
            .post(&self.account.token_uri)
            .header(
                reqwest::header::CONTENT_TYPE,
                "application/x-www-form-urlencoded",
            )
            .body(form.map_err(|error| NotGiven::Unsigned(error.into()))?);
        let unanswered = |error: reqwest::Error| NotGiven::Unanswered(error.without_url().into());
        let mut response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        let body = body::read(&mut response).await.map_err(unanswered)?;
        if !status.is_success() {
            let said = Refusal::words(&body);
            return Err(NotGiven::Refused { status, said });
        }
        given(&body, asked_at).ok_or(NotGiven::Unreadable)
    }

    fn assertion(&self, now: Timestamp) -> Result<String, NotGiven> {
        let issued_at = now - SKEW;
        let claims = Claims {
            iss: &self.account.client_email,
            scope: SCOPE,
            aud: &self.account.token_uri,
            iat: issued_at.unix_seconds(),
            exp: (issued_at + ASSERTION_LIFE).unix_seconds(),
        };
        let signed = self.account.sign(&claims);
        signed.map_err(|error| NotGiven::Unsigned(error.into()))
    }
}

/// What an assertion says.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Answer {
    access_token: SecretString,
    expires_in: Option<u64>,
}

fn given(body: &[u8], asked_at: Timestamp) -> Option<Given> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let token = answer.access_token;
    let is_for_a_header = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_graphic());
    if !is_for_a_header(token.expose_secret()) {
        return None;
    }
    let life = Duration::from_secs(answer.expires_in.unwrap_or(USUAL_LIFE_SECONDS));
    // One that lives shorter than that is replaced at half of its life.
    let early = EARLY.min(life / 2);
    Some(Given {
        token,
        refresh_at: asked_at + life.saturating_sub(early),
        ends_at: asked_at + life,
    })
}

/// RFC 6749 §5.2.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
}

impl Refusal {
    fn words(body: &[u8]) -> String {
        let said: Self = serde_json::from_slice(body).unwrap_or_default();
        match (said.error.as_str(), said.error_description.as_str()) {
            ("", _) => "no reason that could be read".to_owned(),
            (error, "") => body::short(error),
            (error, description) => body::short(&format!("{error}: {description}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

    #[test]
    fn a_token_is_replaced_a_minute_early_or_at_half_of_a_short_life() {
        let times = |body: &str| {
            let given = given(body.as_bytes(), NOW).unwrap();
            let after = |at: Timestamp| at.since(NOW).as_secs();
            (after(given.refresh_at), after(given.ends_at))
        };
        assert_eq!(
            times(r#"{"access_token":"a","expires_in":3599}"#),
            (3539, 3599)
        );
        assert_eq!(times(r#"{"access_token":"a"}"#), (3540, 3600));
        assert_eq!(times(r#"{"access_token":"a","expires_in":40}"#), (20, 40));
    }

    #[test]
    fn what_is_no_token_is_not_taken_for_one() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":"a\nb"}"#,
        ] {
            assert!(given(body.as_bytes(), NOW).is_none(), "{body}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_googles_words() {
        let said = br#"{"error":"invalid_grant","error_description":"Invalid JWT: too old"}"#;
        assert_eq!(Refusal::words(said), "invalid_grant: Invalid JWT: too old");
        assert_eq!(Refusal::words(b"<html>"), "no reason that could be read");
    }
}
