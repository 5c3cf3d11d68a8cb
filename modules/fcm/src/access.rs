//! The access token: what Google gives for an assertion that the service account has signed.
//!
//! One for all sends, refreshed a minute before its end by one task at a time, while the others go on
//! with the old one. An assertion is made anew for every refresh, since it ends as well. A refresh that
//! failed is not repeated by everybody who comes right after it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::outbound::reqwest::{self, StatusCode};
use halobestie_core::{BoxError, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tracing::{debug, warn};

use crate::account::Account;
use crate::body;
use crate::meters::Meters;

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
/// After a refresh that failed, the next one.
const PAUSE: Duration = Duration::from_secs(2);

/// A token as it is used. Comparing two tells whether one is still the newest.
#[derive(Clone)]
pub(crate) struct Access(Arc<Given>);

struct Given {
    token: SecretString,
    refresh_at: Timestamp,
    ends_at: Timestamp,
}

impl Access {
    /// For `Authorization: Bearer`.
    pub(crate) fn token(&self) -> &str {
        self.0.token.expose_secret()
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAccess {
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
    /// Somebody has just failed.
    #[error("no access token: a refresh has just failed")]
    JustFailed,
}

/// Keeps the token.
pub(crate) struct Tokens {
    client: reqwest::Client,
    account: Arc<Account>,
    clock: Clock,
    meters: Arc<Meters>,
    newest: RwLock<Option<Access>>,
    /// Held by who refreshes; when a refresh may be tried again.
    refreshing: Mutex<Option<Timestamp>>,
}

impl Tokens {
    /// No token yet.
    pub(crate) fn new(
        client: reqwest::Client,
        account: Arc<Account>,
        clock: Clock,
        meters: Arc<Meters>,
    ) -> Self {
        Self {
            client,
            account,
            clock,
            meters,
            newest: RwLock::default(),
            refreshing: Mutex::default(),
        }
    }

    /// A token that is good now.
    ///
    /// # Errors
    /// When there is none and Google gives none.
    pub(crate) async fn get(&self) -> Result<Access, NoAccess> {
        let now = self.clock.now();
        let good = self.newest().filter(|it| now < it.0.ends_at);
        match good {
            Some(access) if now < access.0.refresh_at => Ok(access),
            Some(access) => match self.refreshing.try_lock() {
                Ok(mut retry_at) => {
                    let refreshed = self.refresh(&mut retry_at, Some(&access)).await;
                    Ok(refreshed.unwrap_or(access))
                }
                Err(_) => Ok(access),
            },
            None => {
                let mut retry_at = self.refreshing.lock().await;
                self.refresh(&mut retry_at, None).await
            }
        }
    }

    /// A token in place of one that FCM does not take.
    ///
    /// # Errors
    /// When Google gives none.
    pub(crate) async fn replace(&self, refused: &Access) -> Result<Access, NoAccess> {
        let mut retry_at = self.refreshing.lock().await;
        self.refresh(&mut retry_at, Some(refused)).await
    }

    /// Gets a new one, unless somebody else has in the meantime.
    async fn refresh(
        &self,
        retry_at: &mut Option<Timestamp>,
        old: Option<&Access>,
    ) -> Result<Access, NoAccess> {
        let now = self.clock.now();
        if let Some(newest) = self.newest()
            && now < newest.0.ends_at
            && old.is_none_or(|old| !Arc::ptr_eq(&old.0, &newest.0))
        {
            return Ok(newest);
        }
        if retry_at.is_some_and(|at| now < at) {
            return Err(NoAccess::JustFailed);
        }
        let given = self.exchange().await;
        self.meters.count_refresh(given.is_ok());
        match given {
            Ok(access) => {
                debug!("a new access token of Google");
                *retry_at = None;
                *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Some(access.clone());
                Ok(access)
            }
            Err(error) => {
                *retry_at = Some(self.clock.now() + PAUSE);
                let error_ref = &error as &dyn std::error::Error;
                warn!(error = error_ref, "cannot get an access token of Google");
                Err(error)
            }
        }
    }

    fn newest(&self) -> Option<Access> {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        newest.clone()
    }

    /// Exchanges an assertion for a token, whatever there is already.
    ///
    /// # Errors
    /// See [`NoAccess`].
    pub(crate) async fn exchange(&self) -> Result<Access, NoAccess> {
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
            .body(form.map_err(|error| NoAccess::Unsigned(error.into()))?);
        let unanswered = |error: reqwest::Error| NoAccess::Unanswered(error.without_url().into());
        let mut response = request.send().await.map_err(unanswered)?;
        let status = response.status();
        let body = body::read(&mut response).await.map_err(unanswered)?;
        if !status.is_success() {
            let said = Refusal::words(&body);
            return Err(NoAccess::Refused { status, said });
        }
        given(&body, asked_at).ok_or(NoAccess::Unreadable)
    }

    fn assertion(&self, now: Timestamp) -> Result<String, NoAccess> {
        let issued_at = now - SKEW;
        let claims = Claims {
            iss: &self.account.client_email,
            scope: SCOPE,
            aud: &self.account.token_uri,
            iat: issued_at.unix_seconds(),
            exp: (issued_at + ASSERTION_LIFE).unix_seconds(),
        };
        let signed = self.account.sign(&claims);
        signed.map_err(|error| NoAccess::Unsigned(error.into()))
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

fn given(body: &[u8], asked_at: Timestamp) -> Option<Access> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let token = answer.access_token;
    let is_for_a_header = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_graphic());
    if !is_for_a_header(token.expose_secret()) {
        return None;
    }
    let life = Duration::from_secs(answer.expires_in.unwrap_or(USUAL_LIFE_SECONDS));
    // One that lives shorter than that is replaced at half of its life.
    let early = EARLY.min(life / 2);
    Some(Access(Arc::new(Given {
        token,
        refresh_at: asked_at + life.saturating_sub(early),
        ends_at: asked_at + life,
    })))
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
            let access = given(body.as_bytes(), NOW).unwrap();
            let after = |at: Timestamp| at.since(NOW).as_secs();
            (after(access.0.refresh_at), after(access.0.ends_at))
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
