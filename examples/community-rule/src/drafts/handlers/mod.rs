//! The endpoints: parse, decide, store, reply.

pub(crate) mod conflicts;
pub(crate) mod drafts;
pub(crate) mod publishing;
pub(crate) mod reading;

use halobestie_core::http::conditional::is_known;
use halobestie_core::http::{Body, Reply, Request, Response, reply};
use halobestie_core::problem::Problem;
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use uuid::Uuid;

/// For its owner alone, and asked for again each time.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// For everybody, and asked for again each time: it may be hidden at any moment.
const PUBLIC: HeaderValue = HeaderValue::from_static("public, no-cache");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// A tag as a header has it.
fn etag(tag: Uuid) -> String {
    format!("\"{}\"", tag.simple())
}

/// Answers with bytes of JSON, or with 304 where the caller has them.
fn tagged(req: &Request, tag: Uuid, json: impl Into<Body>, cached: HeaderValue) -> Reply {
    let etag = HeaderValue::try_from(etag(tag)).map_err(Problem::internal)?;
    let mut response = match is_known(req.headers(), &etag) {
        true => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        }
        false => reply::bytes(StatusCode::OK, reply::JSON, json),
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, etag);
    headers.insert(CACHE_CONTROL, cached);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    Ok(response)
}
