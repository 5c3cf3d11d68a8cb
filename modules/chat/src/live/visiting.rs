//! Who opens a socket, as far as its handshake says: by a token, or by the cookie of a browser, which can
//! send no header along.
//!
//! A cookie signs in only where the handshake comes from a page of ours, because a browser adds it to
//! what any page opens. It is good by itself for as long as an access token; then the session is asked
//! after, at the handshake as on an open socket, so that a socket ends with its session and not before.

use halobestie_core::http::same_origin;
use halobestie_core::ports::{CookieSays, Principal};
use halobestie_core::problem::Problem;
use http::header::{AUTHORIZATION, HeaderValue};
use http::request::Parts;

use crate::state::State;

/// What a handshake shows.
pub(crate) enum Shown {
    /// Nothing: the first frame must.
    Nothing,
    /// A token in the header.
    Token(String),
    /// A browser's cookie, which is good.
    Cookie(Principal),
    /// One that is not. The socket is opened and closed, because no page sees another answer.
    Refused,
}

/// Reads a handshake; what its browser is to keep for a cookie from now on comes along.
///
/// # Errors
/// `cross_site`, or when Postgres does not answer.
pub(crate) async fn visit(
    state: &State,
    head: &Parts,
) -> Result<(Shown, Option<HeaderValue>), Problem> {
    if let Some(header) = head.headers.get(AUTHORIZATION) {
        let token = header.to_str().ok().and_then(bearer).map(str::to_owned);
        return Ok((token.map_or(Shown::Nothing, Shown::Token), None));
    }
    let Some(sessions) = state.cookie_sessions.get() else {
        return Ok((Shown::Nothing, None));
    };
    let says = sessions.read(head);
    if says == CookieSays::Nothing {
        return Ok((Shown::Nothing, None));
    }
    same_origin::check(head, |origin| sessions.trusts(origin))?;
    let forgotten = || (Shown::Refused, Some(sessions.forgotten()));
    Ok(match says {
        CookieSays::Nothing => (Shown::Nothing, None),
        CookieSays::Signed(principal) => (Shown::Cookie(principal), None),
        CookieSays::Due(principal) => match sessions.renew(&principal).await? {
            Some((principal, cookie)) => (Shown::Cookie(principal), Some(cookie)),
            None => forgotten(),
        },
        CookieSays::Refused => forgotten(),
        // Of two cookies only ours would be forgotten, and the other one believed from then on.
        CookieSays::Contested => (Shown::Refused, None),
    })
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
