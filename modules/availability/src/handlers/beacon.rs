//! The beacon over HTTP: pre-rendered bytes, a tag, a short life in caches.

use std::sync::Arc;

use halobestie_core::http::conditional::is_known;
use halobestie_core::http::{Body, Reply, Request, Response, reply};
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue};

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
