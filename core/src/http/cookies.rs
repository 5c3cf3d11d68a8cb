//! Cookies: reading those of a request, and writing one.
//!
//! What a request sends are names and values, never where they were set: any host beside ours may have
//! set a cookie for the domain that we share. So [`named`] gives every one of a name, and who reads them
//! decides what two of a name mean.

use std::fmt::Write as _;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};

/// The values of the cookies of this name, in the order in which they were sent.
pub fn named<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Which requests from elsewhere bring a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// None.
    Strict,
    /// Following a link to us.
    Lax,
}

/// A cookie to be set, for every path and for no script.
#[derive(Clone, Debug)]
pub struct Cookie<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value: letters, digits and what base64 has besides.
    pub value: &'a str,
    /// The domain whose hosts all get it; `None` is this very host.
    pub domain: Option<&'a str>,
    /// How long it is kept; `None` is until the browser is closed.
    pub life: Option<Duration>,
    /// Which requests from elsewhere bring it.
    pub same_site: SameSite,
    /// Whether it travels over TLS alone.
    pub is_secure: bool,
}

impl Cookie<'_> {
    /// The `Set-Cookie` header.
    pub fn header(&self) -> HeaderValue {
        let same_site = match self.same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
        };
        let mut text = format!("{}={}; Path=/", self.name, self.value);
        // Writing to a string cannot fail.
        if let Some(domain) = self.domain {
            let _ = write!(text, "; Domain={domain}");
        }
        if let Some(life) = self.life {
            let _ = write!(text, "; Max-Age={}", life.as_secs());
        }
        let _ = write!(text, "; HttpOnly; SameSite={same_site}");
        if self.is_secure {
            text += "; Secure";
        }
        // A value that cannot stand in a header is a bug of ours; without the cookie nobody is signed in.
        let mut header = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
        header.set_sensitive(true);
        header
    }

    /// The `Set-Cookie` header that makes the browser forget it.
    pub fn forgotten(&self) -> HeaderValue {
        let gone = Cookie {
            value: "",
            life: Some(Duration::ZERO),
            ..self.clone()
        };
        gone.header()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cookie_of_a_name_is_found_in_its_order_and_no_other() {
        let mut headers = HeaderMap::new();
        for line in ["a=1; session=one;b=2", "xsession=no; session=two=; session"] {
            headers.append(header::COOKIE, line.parse().unwrap());
        }
        let found: Vec<&str> = named(&headers, "session").collect();
        assert_eq!(found, ["one", "two="]);
        assert_eq!(named(&HeaderMap::new(), "session").count(), 0);
    }

    #[test]
    fn a_cookie_is_for_no_script() {
        let cookie = Cookie {
            name: "__Host-session",
            value: "abc",
            domain: None,
            life: Some(Duration::from_secs(60)),
            same_site: SameSite::Lax,
            is_secure: true,
        };
        assert_eq!(
            cookie.header(),
            "__Host-session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        let shared = Cookie {
            name: "session",
            domain: Some("example.org"),
            life: None,
            same_site: SameSite::Strict,
            is_secure: false,
            ..cookie
        };
        assert_eq!(
            shared.header(),
            "session=abc; Path=/; Domain=example.org; HttpOnly; SameSite=Strict"
        );
        assert_eq!(
            shared.forgotten(),
            "session=; Path=/; Domain=example.org; Max-Age=0; HttpOnly; SameSite=Strict"
        );
    }
}
