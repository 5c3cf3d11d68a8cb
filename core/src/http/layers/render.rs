//! Turns a problem on its way out into problem+json, and logs its cause, once.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;

use http::StatusCode;
use http::header::{self, HeaderValue};
use tracing::{debug, error};

use super::around::Around;
use crate::http::exchange::Exchange;
use crate::http::{Body, RawRequest, Response};
use crate::problem::Problem;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The layer.
#[derive(Clone, Copy, Debug)]
pub struct RenderProblems;

impl Around for RenderProblems {
    type Memory = Option<Arc<Exchange>>;

    fn before(&self, req: &mut RawRequest) -> Result<Self::Memory, Response> {
        Ok(Exchange::of(req.extensions()).cloned())
    }

    fn after(exchange: Self::Memory, mut response: Response) -> Response {
        let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() else {
            return response;
        };
        log_cause(&problem);
        // A page that says it in its own way stays.
        if response.headers().contains_key(header::CONTENT_TYPE) {
            return response;
        }
        let request_id = exchange
            .as_ref()
            .map_or("", |exchange| exchange.id().as_str());
        *response.body_mut() = Body::from(problem.body(request_id));
        set_headers(response.headers_mut(), &problem);
        response
    }
}

fn set_headers(headers: &mut http::HeaderMap, problem: &Problem) {
    headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
    // Errors are about this moment and this caller; no cache may hand them to another.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = problem.retry_after_seconds() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(Ok(methods)) = problem.allowed_methods().map(HeaderValue::from_str) {
        headers.insert(header::ALLOW, methods);
    }
    if problem.status() == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
}

fn log_cause(problem: &Problem) {
    let Some(cause) = problem.cause() else { return };
    let code = problem.code().name;
    if problem.status().is_server_error() {
        error!(code, cause = %chain(cause), "request failed");
    } else {
        debug!(code, cause = %chain(cause), "request refused");
    }
}

/// An error and everything beneath it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
