//! The cookie of a browser: its name, its form and its signature. Pure: no I/O, no revocations.
//!
//! A value is `version (1) ‖ role (1) ‖ session (16) ‖ person (16) ‖ made at, Unix seconds (8) ‖ HMAC-SHA-256
//! (32)` in base64url. The signature is over the name and the domain as well, so that a cookie of before
//! the domain changed is none of ours. It is good by itself for as long as an access token, after which
//! Postgres is asked. The invariant: of two sessions that a browser brings at once none is believed,
//! because a neighbour on the same domain may have set one of them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use halobestie_core::Timestamp;
use halobestie_core::config::AppEnv;
use halobestie_core::http::cookies::{Cookie, SameSite, named};
use halobestie_core::ports::{CookieSays, Principal, Role};
use http::HeaderMap;
use http::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::access_token::{CLOCK_SKEW, Subject};
use crate::keys::{Hash, Purpose, derived_hash};
use crate::refresh_token;

/// How long a browser keeps a cookie that it does not show: as long as a session lasts that nobody uses.
pub(crate) const LIFE: Duration = refresh_token::LIFE;

/// To a browser `__Host-` means: set by this very host, over TLS. No neighbour can set one.
pub(crate) const OF_HOST: &str = "__Host-halobestie_session";
/// `__Secure-` means: set over TLS.
const OF_DOMAIN: &str = "__Secure-halobestie_session";
/// A browser would not keep either over plain HTTP.
const PLAIN: &str = "halobestie_session";

const VERSION: u8 = 1;
const BODY_BYTES: usize = 1 + 1 + 16 + 16 + 8;
const BYTES: usize = BODY_BYTES + 32;
/// Cookies of our name that are looked at in one request.
const LOOKED_AT: usize = 8;

/// Makes and reads the cookies of browser sessions.
pub(crate) struct SessionCookies {
    secret: SecretString,
    domain: Option<String>,
    is_secure: bool,
    /// How long a cookie is good by itself.
    fresh: Duration,
}

impl SessionCookies {
    /// Cookies under this secret. Only a developer's machine or a test may do without TLS.
    pub(crate) fn new(
        secret: SecretString,
        domain: Option<String>,
        (env, base_url): (AppEnv, &str),
        fresh: Duration,
    ) -> Self {
        Self {
            secret,
            domain,
            is_secure: env.is_deployed() || base_url.starts_with("https://"),
            fresh,
        }
    }

    /// Makes the cookie of a session.
    pub(crate) fn make(&self, subject: Subject, now: Timestamp) -> HeaderValue {
        let value = self.value(subject, now);
        self.cookie(&value).header()
    }

    /// Makes a browser forget its cookie.
    pub(crate) fn forgotten(&self) -> HeaderValue {
        self.cookie("").forgotten()
    }

    /// Whose cookie a request brings.
    pub(crate) fn read(&self, headers: &HeaderMap, now: Timestamp) -> CookieSays {
        let mut shown = named(headers, self.name()).take(LOOKED_AT).peekable();
        if shown.peek().is_none() {
            return CookieSays::Nothing;
        }
        let mut good = shown.filter_map(|value| self.principal(value, now));
        let Some(first) = good.next() else {
            return CookieSays::Refused;
        };
        let newest = good.try_fold(first, |newest, other| {
            let is_same = other.session_id == newest.session_id;
            is_same.then(|| match other.expires_at > newest.expires_at {
                true => other,
                false => newest,
            })
        });
        match newest {
            None => CookieSays::Contested,
            Some(principal) if principal.expires_at > now => CookieSays::Signed(principal),
            Some(principal) => CookieSays::Due(principal),
        }
    }

    /// What a value says, if we have signed it. Its `expires_at` is the end of what it is good for by
    /// itself.
    fn principal(&self, value: &str, now: Timestamp) -> Option<Principal> {
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        let (body, signature) = bytes.split_at_checked(BODY_BYTES)?;
        let is_ours: bool = self.signature(body).ct_eq(signature).into();
        let (&[version, role], rest) = body.split_first_chunk()?;
        if !is_ours || version != VERSION {
            return None;
        }
        let (session_id, rest) = rest.split_first_chunk()?;
        let (user_id, made_at) = rest.split_first_chunk()?;
        let made_at = i64::from_be_bytes(made_at.try_into().ok()?);
        let made_at = Timestamp::from_unix_ms(made_at.checked_mul(1000)?);
        if made_at > now + CLOCK_SKEW {
            return None;
        }
        Some(Principal {
            user_id: Uuid::from_bytes(*user_id),
            role: role_of(role)?,
            session_id: Uuid::from_bytes(*session_id),
            expires_at: made_at + self.fresh,
        })
    }

    fn value(&self, subject: Subject, now: Timestamp) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend([VERSION, letter_of(subject.role)]);
        bytes.extend(subject.session_id.as_bytes());
        bytes.extend(subject.user_id.as_bytes());
        bytes.extend(now.unix_seconds().to_be_bytes());
        let signature = self.signature(&bytes);
        bytes.extend(signature);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn signature(&self, body: &[u8]) -> Hash {
        let secret = self.secret.expose_secret().as_bytes();
        let domain = self.domain.as_deref().unwrap_or_default();
        // The body's length is fixed and no name has a space, so no two ways lead to the same text.
        let parts = [body, self.name().as_bytes(), b" ", domain.as_bytes()];
        derived_hash(secret, Purpose::SessionCookie, &parts)
    }

    fn cookie<'a>(&'a self, value: &'a str) -> Cookie<'a> {
        Cookie {
            name: self.name(),
            value,
            domain: self.domain.as_deref(),
            life: Some(LIFE),
            same_site: SameSite::Lax,
            is_secure: self.is_secure,
        }
    }

    fn name(&self) -> &'static str {
        match (self.is_secure, &self.domain) {
            (true, None) => OF_HOST,
            (true, Some(_)) => OF_DOMAIN,
            (false, _) => PLAIN,
        }
    }
}

const fn letter_of(role: Role) -> u8 {
    match role {
        Role::Customer => b'c',
        Role::Mitra => b'm',
        Role::Admin => b'a',
    }
}

/// An admin signs in on the internal listener alone, and never by this cookie.
const fn role_of(letter: u8) -> Option<Role> {
    match letter {
        b'c' => Some(Role::Customer),
        b'm' => Some(Role::Mitra),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use halobestie_core::clock::Clock;
    use halobestie_core::entropy::Entropy;
    use http::header::COOKIE;

    use super::*;

    const FRESH: Duration = Duration::from_secs(900);
    const DEPLOYED: (AppEnv, &str) = (AppEnv::Production, "https://api.example.org");

    fn cookies() -> SessionCookies {
        SessionCookies::new("sixteen letters.".into(), None, DEPLOYED, FRESH)
    }

    fn now() -> Timestamp {
        Timestamp::from_unix_ms(1_768_464_000_000)
    }

    fn subject(role: Role) -> Subject {
        let (clock, entropy) = (Clock::manual(now()), Entropy::system());
        Subject {
            user_id: entropy.uuid(&clock),
            role,
            session_id: entropy.uuid(&clock),
        }
    }

    fn said(cookies: &SessionCookies, values: &[&str], now: Timestamp) -> CookieSays {
        let pairs: Vec<String> = values
            .iter()
            .map(|value| format!("{}={value}", cookies.name()))
            .collect();
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, pairs.join("; ").parse().unwrap());
        cookies.read(&headers, now)
    }

    #[test]
    fn a_cookie_is_good_by_itself_for_a_quarter_of_an_hour_and_then_has_to_be_asked_about() {
        let (cookies, whose) = (cookies(), subject(Role::Customer));
        let value = cookies.value(whose, now());
        let principal = Principal {
            user_id: whose.user_id,
            role: Role::Customer,
            session_id: whose.session_id,
            expires_at: now() + FRESH,
        };
        let signed = CookieSays::Signed(principal.clone());
        assert_eq!(said(&cookies, &[&value], now()), signed);
        let last = now() + FRESH - Duration::from_secs(1);
        assert_eq!(said(&cookies, &[&value], last), signed);
        let due = CookieSays::Due(principal);
        assert_eq!(said(&cookies, &[&value], now() + FRESH), due);
        assert_eq!(said(&cookies, &[&value], now() + LIFE * 3), due);
    }

    #[test]
    fn no_changed_letter_of_a_cookie_is_believed() {
        let cookies = cookies();
        let value = cookies.value(subject(Role::Mitra), now());
        let bytes = URL_SAFE_NO_PAD.decode(&value).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(said(&cookies, &[&changed], now()), CookieSays::Refused);
        }
        for wrong in ["", "x", &value[1..], &format!("{value}AAAA"), &value[..56]] {
            assert_eq!(
                said(&cookies, &[wrong], now()),
                CookieSays::Refused,
                "{wrong}"
            );
        }
    }

    #[test]
    fn another_secret_domain_or_name_makes_it_nobodys() {
        let value = cookies().value(subject(Role::Customer), now());
        let made = |secret: &str, domain: Option<&str>, scene| {
            SessionCookies::new(secret.into(), domain.map(Into::into), scene, FRESH)
        };
        let secret = "sixteen letters.";
        for other in [
            made("sixteen letters,", None, DEPLOYED),
            made(secret, Some("example.org"), DEPLOYED),
            made(secret, None, (AppEnv::Development, "http://localhost:3000")),
        ] {
            assert_eq!(said(&other, &[&value], now()), CookieSays::Refused);
        }
        let wider = made(secret, Some("example.org"), DEPLOYED);
        let narrower = made(secret, Some("a.example.org"), DEPLOYED);
        let value = narrower.value(subject(Role::Customer), now());
        assert_eq!(said(&wider, &[&value], now()), CookieSays::Refused);
    }

    #[test]
    fn of_two_sessions_none_is_believed_and_of_two_cookies_of_one_the_newer() {
        let (cookies, mine) = (cookies(), subject(Role::Customer));
        let old = cookies.value(mine, now());
        let new = cookies.value(mine, now() + FRESH);
        let theirs = cookies.value(subject(Role::Customer), now());
        let later = now() + FRESH;
        for pair in [[old.as_str(), &new], [&new, &old], ["nonsense", &new]] {
            let CookieSays::Signed(principal) = said(&cookies, &pair, later) else {
                panic!("the newer one is good");
            };
            assert_eq!(principal.session_id, mine.session_id);
        }
        for pair in [[new.as_str(), &theirs], [&theirs, &new]] {
            assert_eq!(said(&cookies, &pair, later), CookieSays::Contested);
        }
    }

    #[test]
    fn an_admin_is_never_signed_in_by_it_and_the_future_is_not_believed() {
        let cookies = cookies();
        let admin = cookies.value(subject(Role::Admin), now());
        assert_eq!(said(&cookies, &[&admin], now()), CookieSays::Refused);
        let early = cookies.value(subject(Role::Customer), now() + Duration::from_secs(61));
        assert_eq!(said(&cookies, &[&early], now()), CookieSays::Refused);
    }

    #[test]
    fn only_a_developers_machine_does_without_tls_and_no_neighbour_can_set_the_cookie_of_a_host() {
        let header = |domain: Option<&str>, scene| {
            let domain = domain.map(Into::into);
            let cookies = SessionCookies::new("sixteen letters.".into(), domain, scene, FRESH);
            cookies.forgotten().to_str().unwrap().to_owned()
        };
        let rest = "Max-Age=0; HttpOnly; SameSite=Lax";
        assert_eq!(
            header(None, DEPLOYED),
            format!("__Host-halobestie_session=; Path=/; {rest}; Secure")
        );
        assert_eq!(
            header(Some("example.org"), DEPLOYED),
            format!("__Secure-halobestie_session=; Path=/; Domain=example.org; {rest}; Secure")
        );
        // Nobody said what its address is; that is no reason to send it in the open.
        let forgotten = (AppEnv::Staging, "http://localhost:3000");
        assert!(header(None, forgotten).ends_with("; Secure"));
        let developer = (AppEnv::Development, "http://localhost:3000");
        assert_eq!(
            header(None, developer),
            format!("halobestie_session=; Path=/; {rest}")
        );
        let tunnel = (AppEnv::Development, "https://dev.example.org");
        assert!(header(None, tunnel).starts_with("__Host-"));
    }
}
