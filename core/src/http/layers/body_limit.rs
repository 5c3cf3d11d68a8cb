//! Refuses a body that declares itself larger than any route takes, before anything looks at it.
//!
//! This is the early refusal; the limit itself is each row's, kept in `Request::bytes`, and holds for
//! bodies that declare no length as well.

use http::header::CONTENT_LENGTH;

use super::around::Around;
use crate::http::{RawRequest, Response, reply};
use crate::problem::{Problem, codes};

/// The layer, with the largest limit of any route.
#[derive(Clone, Copy, Debug)]
pub struct RefuseHugeBodies {
    /// In bytes.
    pub largest: usize,
}

impl Around for RefuseHugeBodies {
    type Memory = ();

    fn before(&self, req: &mut RawRequest) -> Result<(), Response> {
        let Some(declared) = req.headers().get(CONTENT_LENGTH) else {
            return Ok(());
        };
        // hyper has checked that it is a number; one that does not fit is larger than any limit.
        let declared = declared
            .to_str()
            .ok()
            .and_then(|it| it.parse::<usize>().ok());
        if declared.is_some_and(|bytes| bytes <= self.largest) {
            return Ok(());
        }
        let detail = format!("No route takes a body of more than {} bytes.", self.largest);
        Err(reply::problem(
            Problem::new(&codes::BODY_TOO_LARGE).detail(detail),
        ))
    }

    fn after((): (), response: Response) -> Response {
        response
    }
}
