//! Browsers that carry their sign-in session by a cookie.
//!
//! The cookie takes the place of both tokens. For as long as an access token lives it is good by itself,
//! but for revocations; then the first request that shows it asks Postgres, in one statement that also
//! makes the session last another 30 days, and brings a new cookie home. The session's refresh token ends
//! with the first cookie, so that one thing alone carries it on, and a secret that is rotated signs every
//! browser out.

use std::sync::Arc;

use async_trait::async_trait;
use halobestie_core::ports::{CookieSays, CookieSessions, Principal};
use halobestie_core::problem::Problem;
use http::header::HeaderValue;
use http::request::Parts;

use crate::access_token::Subject;
use crate::session_cookie;
use crate::state::State;
use crate::store::sessions;

/// Reads the cookies of browsers.
pub(crate) struct Browsers(pub(crate) Arc<State>);

#[async_trait]
impl CookieSessions for Browsers {
    fn are_on(&self) -> bool {
        self.0.cookies.is_some()
    }

    fn read(&self, head: &Parts) -> CookieSays {
        let Some(cookies) = &self.0.cookies else {
            return CookieSays::Nothing;
        };
        match cookies.read(&head.headers, self.0.clock.now()) {
            CookieSays::Signed(principal) | CookieSays::Due(principal)
                if self.is_over(&principal) =>
            {
                CookieSays::Refused
            }
            says => says,
        }
    }

    fn trusts(&self, origin: &str) -> bool {
        let server = &self.0.server;
        origin == origin_of(&server.public_base_url)
            || server.app_allowed_origins.iter().any(|it| it == origin)
    }

    async fn renew(
        &self,
        principal: &Principal,
    ) -> Result<Option<(Principal, HeaderValue)>, Problem> {
        let (state, now) = (&*self.0, self.0.clock.now());
        let (id, user_id) = (principal.session_id, principal.user_id);
        let until = now + session_cookie::LIFE;
        let goes_on = sessions::prolong(&state.db, id, user_id, until, now).await?;
        let cookies = state.cookies.as_ref().filter(|_| goes_on);
        Ok(cookies.map(|cookies| {
            let expires_at = now + state.access_tokens.life();
            let principal = Principal {
                expires_at,
                ..principal.clone()
            };
            let cookie = cookies.make(Subject::of(&principal), now);
            (principal, cookie)
        }))
    }

    fn is_over(&self, principal: &Principal) -> bool {
        self.0.revocations.contains(principal.session_id)
    }

    fn forgotten(&self) -> HeaderValue {
        let cookies = self.0.cookies.as_ref();
        cookies.map_or(HeaderValue::from_static(""), |it| it.forgotten())
    }
}

/// The origin of a URL that has no user and no query.
fn origin_of(url: &str) -> &str {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url;
    };
    let host = rest.find('/').unwrap_or(rest.len());
    &url[..scheme.len() + 3 + host]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_an_address_is_what_browsers_send() {
        for (url, origin) in [
            ("https://example.org", "https://example.org"),
            ("https://example.org/api/v1", "https://example.org"),
            ("http://localhost:3000", "http://localhost:3000"),
        ] {
            assert_eq!(origin_of(url), origin);
        }
    }
}
