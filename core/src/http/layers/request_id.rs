//! Gives every request its name: the caller's own where it is sane, ours otherwise. The answer
//! carries it back, always.

use http::header::HeaderName;

use super::around::Around;
use crate::http::exchange::{Exchange, RequestId};
use crate::http::{RawRequest, Response, Traffic};

/// The header, in both directions and on calls upstream.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The layer.
#[derive(Clone, Debug)]
pub struct NameRequest(pub Traffic);

impl Around for NameRequest {
    type Memory = RequestId;

    fn before(&self, req: &mut RawRequest) -> Result<RequestId, Response> {
        let of_caller = req
            .headers()
            .get(X_REQUEST_ID)
            .and_then(RequestId::of_caller);
        let id = of_caller.unwrap_or_else(|| self.0.ids().make());
        req.extensions_mut().insert(Exchange::new(id.clone()));
        Ok(id)
    }

    fn after(id: RequestId, mut response: Response) -> Response {
        response.headers_mut().insert(X_REQUEST_ID, id.header());
        response
    }
}
