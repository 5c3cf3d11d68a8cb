//! Whether a request that a cookie signs in was sent by a page of ours.
//!
//! A browser adds a cookie to whatever any page sends us. Two headers that no page can write say where a
//! request comes from: `Sec-Fetch-Site`, and `Origin` on everything that is not a plain GET. The
//! invariant: what may change something passes only if they prove one of our pages. What carries neither
//! was sent by no browser of today, and programs have bearer tokens.

use http::request::Parts;
use http::{Method, header};

use crate::problem::{Problem, codes};

/// Lets pass what only reads, and what a page of this very origin or of a known one has sent.
///
/// # Errors
/// `cross_site`
pub fn check(head: &Parts, is_known: impl Fn(&str) -> bool) -> Result<(), Problem> {
    if only_reads(head) || Said::by(head).is_ours(is_known) {
        return Ok(());
    }
    Err(Problem::new(&codes::CROSS_SITE))
}

/// The same of a request whose sign-in no browser adds by itself: a program says nothing of origins.
///
/// # Errors
/// `cross_site`
pub fn check_browsers(head: &Parts, is_known: impl Fn(&str) -> bool) -> Result<(), Problem> {
    let said = Said::by(head);
    if said.site.is_none() && said.origin.is_none() {
        return Ok(());
    }
    check(head, is_known)
}

/// Methods that change nothing, but for a GET that opens a socket: over that anything may be sent, and
/// read by whoever has opened it.
fn only_reads(head: &Parts) -> bool {
    matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS)
        && !head.headers.contains_key(header::UPGRADE)
}

/// What a browser says of where a request comes from.
#[derive(Clone, Copy, Debug)]
struct Said<'a> {
    site: Option<&'a str>,
    origin: Option<&'a str>,
    host: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn by(head: &'a Parts) -> Self {
        // A header that is no text is there, and nothing known.
        let text = |name: &str| {
            let value = head.headers.get(name)?;
            Some(value.to_str().unwrap_or_default())
        };
        let host = text("host").or_else(|| head.uri.authority().map(|it| it.as_str()));
        Self {
            site: text("sec-fetch-site"),
            origin: text("origin"),
            host,
        }
    }

    fn is_ours(self, is_known: impl Fn(&str) -> bool) -> bool {
        match self.site {
            // Also where the page's referrer policy makes its origin `null`.
            Some("same-origin") => true,
            // Of a neighbour, only one that is known.
            Some("same-site" | "none") => self.origin.is_some_and(is_known),
            Some(_) => false,
            None => self
                .origin
                .is_some_and(|origin| self.is_this_host(origin) || is_known(origin)),
        }
    }

    /// Only where there is TLS is an origin as good as its host: whoever sits on the wire can make a page
    /// of any host without. On the machine itself nobody does.
    fn is_this_host(self, origin: &str) -> bool {
        let (Some(host), Some((scheme, authority))) = (self.host, origin.split_once("://")) else {
            return false;
        };
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let is_safe = scheme == "https" || matches!(name, "localhost" | "127.0.0.1" | "[::1]");
        is_safe && authority.eq_ignore_ascii_case(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "https://app.example.org";

    fn head(method: Method, headers: &[(&'static str, &str)]) -> Parts {
        let mut req = http::Request::new(());
        *req.method_mut() = method;
        for (name, value) in headers {
            req.headers_mut().insert(*name, value.parse().unwrap());
        }
        req.into_parts().0
    }

    fn passes(headers: &[(&'static str, &str)]) -> bool {
        let mut all = vec![("host", "api.example.org")];
        all.extend_from_slice(headers);
        check(&head(Method::POST, &all), |origin| origin == KNOWN).is_ok()
    }

    #[test]
    fn only_pages_of_ours_may_send_what_changes_something() {
        let (site, origin) = ("sec-fetch-site", "origin");
        for (headers, expected) in [
            (&[(site, "same-origin")] as &[_], true),
            (&[(site, "same-origin"), (origin, "null")], true),
            (&[(site, "same-site"), (origin, KNOWN)], true),
            (&[(site, "none"), (origin, KNOWN)], true),
            (&[(origin, KNOWN)], true),
            (&[(origin, "https://api.example.org")], true),
            (&[(origin, "https://API.example.org")], true),
            (&[], false),
            (&[(site, "cross-site"), (origin, KNOWN)], false),
            (&[(site, "same-site")], false),
            (&[(site, "none")], false),
            (&[(site, "Same-Origin")], false),
            (&[(site, "")], false),
            (
                &[(site, "same-site"), (origin, "https://evil.example.org")],
                false,
            ),
            (&[(origin, "https://evil.test")], false),
            (&[(origin, "https://app.example.org.evil.test")], false),
            (&[(origin, "https://api.example.org:8443")], false),
            // A page that somebody on the wire has made.
            (&[(origin, "http://api.example.org")], false),
            (&[(origin, "null")], false),
            (&[(origin, "api.example.org")], false),
        ] {
            assert_eq!(passes(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_developers_machine_needs_no_tls() {
        for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"] {
            let origin = format!("http://{host}");
            let head = head(Method::PUT, &[("host", host), ("origin", &origin)]);
            assert!(check(&head, |_| false).is_ok(), "{host}");
        }
        let host = "192.168.1.7:3000";
        let head = head(
            Method::PUT,
            &[("host", host), ("origin", "http://192.168.1.7:3000")],
        );
        assert!(check(&head, |_| false).is_err());
    }

    #[test]
    fn what_reads_passes_and_a_socket_does_more_than_read() {
        let strange = ("origin", "https://evil.test");
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            assert!(check(&head(method, &[strange]), |_| false).is_ok());
        }
        let socket = head(Method::GET, &[strange, ("upgrade", "websocket")]);
        assert!(check(&socket, |_| false).is_err());
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(check(&head(method, &[strange]), |_| false).is_err());
        }
    }

    #[test]
    fn a_program_that_says_nothing_of_origins_passes_where_no_browser_signs_in_by_itself() {
        let program = head(Method::POST, &[]);
        assert!(check_browsers(&program, |_| false).is_ok());
        let page = head(Method::POST, &[("origin", "https://evil.test")]);
        assert!(check_browsers(&page, |_| false).is_err());
    }
}
