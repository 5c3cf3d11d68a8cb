//! The cookie of the pages.
//!
//! Over TLS it is `__Host-`: of this very host and sent nowhere in the open. Without (loopback, a VPN, an
//! SSH tunnel) a browser would not keep such a one, so it has a plain name. Which of the two holds for a
//! request is decided by how it came, and never both.

use halobestie_core::http::Request;
use http::header::HeaderValue;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

const PLAIN: &str = "halobestie_cc";
const SECURE: &str = "__Host-halobestie_cc";

fn name(is_secure: bool) -> &'static str {
    if is_secure { SECURE } else { PLAIN }
}

/// The token of a request's cookie.
pub(crate) fn token(req: &Request, trusted_proxies: &[IpNet]) -> Option<String> {
    let name = name(req.is_by_tls(trusted_proxies));
    let all = req.headers().get_all("cookie").iter();
    all.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// Keeps a token until the browser is closed; the server ends it sooner where it is not used.
pub(crate) fn kept(token: &SecretString, is_secure: bool) -> HeaderValue {
    header(token.expose_secret(), "", is_secure)
}

/// Forgets the token.
pub(crate) fn forgotten(is_secure: bool) -> HeaderValue {
    header("", "; Max-Age=0", is_secure)
}

fn header(value: &str, life: &str, is_secure: bool) -> HeaderValue {
    let name = name(is_secure);
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{life}");
    // A token is base64; without the cookie nobody is signed in, which is safe.
    let mut header = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_no_script_and_no_other_site() {
        let token = SecretString::from("abc");
        assert_eq!(
            kept(&token, true),
            "__Host-halobestie_cc=abc; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            kept(&token, false),
            "halobestie_cc=abc; Path=/; HttpOnly; SameSite=Strict"
        );
        assert_eq!(
            forgotten(false),
            "halobestie_cc=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
        );
    }
}
