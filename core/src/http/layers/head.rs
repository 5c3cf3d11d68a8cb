//! Answers HEAD with the headers of the GET and without its body.
//!
//! It sits outside everything that makes or changes bodies, so that the headers are the GET's own.

use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Method, StatusCode};
use http_body::Body as _;

use super::around::Around;
use crate::http::{Body, RawRequest, Response};

/// The layer.
#[derive(Clone, Copy, Debug)]
pub struct BodilessHead;

impl Around for BodilessHead {
    type Memory = bool;

    fn before(&self, req: &mut RawRequest) -> Result<bool, Response> {
        Ok(req.method() == Method::HEAD)
    }

    fn after(is_head: bool, response: Response) -> Response {
        if is_head {
            without_body(response)
        } else {
            response
        }
    }
}

fn without_body(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let has_length = !matches!(
        head.status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    if let (true, Some(bytes)) = (has_length, body.size_hint().exact()) {
        head.headers
            .entry(CONTENT_LENGTH)
            .or_insert_with(|| HeaderValue::from(bytes));
    }
    Response::from_parts(head, Body::empty())
}
