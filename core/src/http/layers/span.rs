//! The span of a request: every line that is written while it is answered carries its id.
//!
//! The span is there at every log level, since a warning needs the id more than an `info` line does.

use std::task::{Context, Poll};

use tower::{Layer, Service};
use tracing::error_span;
use tracing::instrument::{Instrument, Instrumented};

use crate::http::RawRequest;
use crate::http::exchange::Exchange;

/// The layer.
#[derive(Clone, Copy, Debug)]
pub struct SpanLayer;

impl<S> Layer<S> for SpanLayer {
    type Service = InSpan<S>;
    fn layer(&self, inner: S) -> InSpan<S> {
        InSpan { inner }
    }
}

/// A service that works inside a request's span.
#[derive(Clone, Debug)]
pub struct InSpan<S> {
    inner: S,
}

impl<S> Service<RawRequest> for InSpan<S>
where
    S: Service<RawRequest>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: RawRequest) -> Self::Future {
        let request_id = Exchange::of(req.extensions()).map(|exchange| exchange.id().as_str());
        let span = error_span!("request", request_id);
        span.in_scope(|| self.inner.call(req)).instrument(span)
    }
}
