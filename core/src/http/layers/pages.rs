//! Security headers for every answer that is HTML, whoever made it.
//!
//! They are what a page without scripts, frames and foreign parts wants. A page that needs more sets
//! the header itself: what is there already stays. Pages are personal until they say otherwise, so no
//! cache keeps them. (`Strict-Transport-Security` belongs to the proxy that ends TLS.)

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::around::Around;
use crate::http::html;
use crate::http::{RawRequest, Response};

/// The layer.
#[derive(Clone, Copy, Debug)]
pub struct SecurePages;

const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (header::CONTENT_SECURITY_POLICY, html::NOTHING),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    // For browsers from before `frame-ancestors`.
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // An address may hold a token or an id: no other site is told of it.
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

impl Around for SecurePages {
    type Memory = ();

    fn before(&self, _: &mut RawRequest) -> Result<(), Response> {
        Ok(())
    }

    fn after((): (), mut response: Response) -> Response {
        if is_html(response.headers()) {
            for (name, value) in HEADERS {
                response.headers_mut().entry(name).or_insert(value);
            }
        }
        response
    }
}

fn is_html(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    let essence = content_type.and_then(|it| it.to_str().ok()).unwrap_or("");
    let essence = essence.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("text/html")
        || essence.eq_ignore_ascii_case("application/xhtml+xml")
}
