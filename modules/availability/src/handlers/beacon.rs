//! The beacon over HTTP: pre-rendered bytes, a tag, a short life in caches.

use std::sync::Arc;

use halobestie_core::http::{Body, Reply, Request, Response, reply};
use http::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use http::{HeaderName, StatusCode};

use crate::beacon::BeaconBody;
use crate::handlers::State;

const CACHED_SHORTLY: HeaderValue = HeaderValue::from_static("public, max-age=5");

/// Whether any mitra can be asked
#[utoipa::path(
    get, path = "/api/customer/availability", tag = "availability",
    description = "The beacon, for apps to poll without signing in. An answer may be up to eleven \
        seconds old: `as_of` says when it was made, `source` who counted. Send the `ETag` of the last \
        answer in `If-None-Match` to get 304 while the number is the same.",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of the last answer.")),
    responses(
        (status = 200, description = "Who can be asked.", body = BeaconBody, headers(
            ("ETag" = String, description = "A weak tag of the number."),
            ("Cache-Control" = String, description = "`public, max-age=5`."),
        )),
        (status = 304, description = "The number is still the one of `If-None-Match`."),
        (status = 503, description = "`dependency_unavailable`: neither Valkey nor Postgres answers."),
    ),
)]
pub(crate) async fn show(state: Arc<State>, req: Request) -> Reply {
    let answer = state.beacon.answer().await?;
    let mut response = if is_known(req.headers(), &answer.etag) {
        not_modified()
    } else {
        reply::bytes(StatusCode::OK, reply::JSON, answer.json.clone())
    };
    response.headers_mut().insert(ETAG, answer.etag.clone());
    response.headers_mut().insert(CACHE_CONTROL, CACHED_SHORTLY);
    Ok(response)
}

fn not_modified() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

/// Whether the caller has this answer already: weak comparison, as RFC 9110 §13.1.2 asks for.
fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let opaque = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
    let current = opaque(etag.as_bytes());
    let name: HeaderName = IF_NONE_MATCH;
    headers.get_all(name).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || opaque(tag) == current)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_tag_is_found_in_any_form() {
        let etag = HeaderValue::from_static("W/\"3\"");
        let sent = |value: &'static str| {
            is_known(
                &HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))]),
                &etag,
            )
        };
        assert!(sent("W/\"3\""));
        assert!(sent("\"3\""), "the comparison is weak");
        assert!(sent("\"1\", W/\"3\""));
        assert!(sent("*"));
        assert!(!sent("W/\"4\""));
        assert!(!sent(""));
        assert!(!is_known(&HeaderMap::new(), &etag));
    }
}
