//! Building replies: JSON, empty, problems.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use crate::http::{Body, Reply, Response};
use crate::problem::Problem;

/// `application/json`.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON body with the given status.
///
/// # Errors
/// `internal` when the value cannot be written as JSON, which is a bug of ours.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Reply {
    let body = serde_json::to_vec(value).map_err(Problem::internal)?;
    Ok(bytes(status, JSON, body))
}

/// 200 with a JSON body.
///
/// # Errors
/// As [`json`].
pub fn ok<T: Serialize>(value: &T) -> Reply {
    json(StatusCode::OK, value)
}

/// 201 with a JSON body.
///
/// # Errors
/// As [`json`].
pub fn created<T: Serialize>(value: &T) -> Reply {
    json(StatusCode::CREATED, value)
}

/// 202 with a JSON body.
///
/// # Errors
/// As [`json`].
pub fn accepted<T: Serialize>(value: &T) -> Reply {
    json(StatusCode::ACCEPTED, value)
}

/// 204.
///
/// # Errors
/// Never; the type is a handler's.
pub fn no_content() -> Reply {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Bytes that are already rendered.
pub fn bytes(status: StatusCode, content_type: HeaderValue, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// A problem on its way out: an empty response that `layers::render` fills.
pub fn problem(problem: Problem) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = problem.status();
    // Extensions must be `Clone`; a problem owns its cause, so it travels behind an `Arc`.
    response
        .extensions_mut()
        .insert(std::sync::Arc::new(problem));
    response
}
