//! Whether a request that changes something was sent by one of our own pages.
//!
//! The cookie is `SameSite=Strict`; this is the second lock. A browser says by `Sec-Fetch-Site` where a
//! request comes from, or, from an address without TLS, by `Origin` alone. What says neither is no browser
//! of ours, and has bearer tokens to use.

use halobestie_core::Problem;
use halobestie_core::http::Request;
use http::Method;

use crate::error::CROSS_SITE;

/// Lets requests pass that only read, and those from our own pages.
///
/// # Errors
/// `cross_site`
pub(crate) fn check(req: &Request) -> Result<(), Problem> {
    let only_reads = matches!(*req.method(), Method::GET | Method::HEAD);
    let said = Said {
        site: req.header("sec-fetch-site"),
        origin: req.header("origin"),
        host: req
            .header("host")
            .or_else(|| req.uri().authority().map(|it| it.as_str())),
    };
    if only_reads || said.is_ours() {
        Ok(())
    } else {
        Err(Problem::new(&CROSS_SITE))
    }
}

/// What a browser says of where a request comes from.
#[derive(Clone, Copy, Debug)]
struct Said<'a> {
    site: Option<&'a str>,
    origin: Option<&'a str>,
    host: Option<&'a str>,
}

impl Said<'_> {
    fn is_ours(self) -> bool {
        match (self.site, self.origin, self.host) {
            (Some(site), _, _) => site == "same-origin",
            (None, Some(origin), Some(host)) => origin
                .split_once("://")
                .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_send() {
        let host = Some("cc.local:3001");
        for (site, origin, is_ours) in [
            (Some("same-origin"), None, true),
            (Some("same-origin"), Some("http://cc.local:3001"), true),
            (Some("same-site"), Some("http://cc.local:3001"), false),
            (Some("cross-site"), None, false),
            (Some("none"), None, false),
            (None, Some("http://cc.local:3001"), true),
            (None, Some("https://CC.local:3001"), true),
            (None, Some("http://cc.local"), false),
            (None, Some("http://evil.test"), false),
            (None, Some("null"), false),
            (None, None, false),
        ] {
            let said = Said { site, origin, host };
            assert_eq!(said.is_ours(), is_ours, "{said:?}");
        }
    }
}
