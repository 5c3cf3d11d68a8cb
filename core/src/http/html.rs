//! Pages: HTML that is made here, with a policy that lets it load nothing from anywhere.
//!
//! `layers::pages` gives every HTML answer its security headers; this is for pages that need one
//! thing more, a style of their own, and for whoever writes text into markup.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use sha2::{Digest, Sha256};

use crate::http::{Body, Response, reply};

/// `text/html`, as we write it.
pub const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// The policy of a page that loads nothing, runs nothing, submits nothing and stands in no frame.
pub const NOTHING: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The same for a page with this very text between `<style>` and `</style>`.
pub fn policy_with_style(style: &str) -> HeaderValue {
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    // A hash in base64 is a header's value; without the style the page is plain, not open.
    HeaderValue::try_from(policy).unwrap_or(NOTHING)
}

/// A page with this very text between `<style>` and `</style>`.
pub fn styled(status: StatusCode, page: impl Into<Body>, style: &str) -> Response {
    let mut response = reply::bytes(status, HTML, page);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy_with_style(style));
    response
}

/// Text that is safe between tags and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_opens_no_tag_and_closes_no_quote() {
        assert_eq!(
            escape(r#"<a href="x" title='y'>&"#),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;"
        );
    }

    #[test]
    fn a_styles_policy_names_its_hash_alone() {
        // The digest of the empty text, which everybody knows.
        let policy = policy_with_style("");
        let policy = policy.to_str().unwrap();
        assert!(policy.contains("'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"));
        assert!(!policy.contains("unsafe") && policy.starts_with("default-src 'none'"));
    }
}
