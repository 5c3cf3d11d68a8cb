//! gzip and brotli by tower-http, for bodies that are worth it and clients that ask for it.
//!
//! A client that asks for neither, which is most calls between machines, does not pay for the wrapper
//! that tower-http puts around every response and body.

use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::{Either, Map};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use tower::{Layer, Service};
use tower_http::compression::predicate::{And, NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{Compression, CompressionBody, CompressionLayer, CompressionLevel};

use crate::http::{Body, RawRequest, Response};

/// Smaller bodies travel in one packet either way.
const BYTES_MIN: u64 = 1024;
/// Where brotli and gzip both are quick and already good.
const LEVEL: CompressionLevel = CompressionLevel::Precise(4);

/// Recordings are small already, and players ask for parts of them.
const RECORDINGS: NotForContentType = NotForContentType::const_new("audio/");

type WorthIt = And<And<And<SizeAbove, NotForContentType>, NotForContentType>, NotForContentType>;

/// The layer.
#[derive(Clone, Copy, Debug)]
pub struct CompressLayer;

impl<S> Layer<S> for CompressLayer {
    type Service = Compress<S>;
    fn layer(&self, inner: S) -> Compress<S> {
        let worth_it = SizeAbove::new(BYTES_MIN)
            .and(NotForContentType::IMAGES)
            .and(RECORDINGS)
            // Each event is to arrive when it is sent.
            .and(NotForContentType::SSE);
        let layer = CompressionLayer::new()
            .quality(LEVEL)
            .compress_when(worth_it);
        Compress {
            compression: layer.layer(inner),
        }
    }
}

/// A service whose larger answers are compressed for those who ask.
#[derive(Clone)]
pub struct Compress<S> {
    compression: Compression<S, WorthIt>,
}

type Squeezed<E> = Result<http::Response<CompressionBody<Body>>, E>;
type Squeezing<S> = <Compression<S, WorthIt> as Service<RawRequest>>::Future;
type Unwrap<E> = fn(Squeezed<E>) -> Result<Response, E>;

impl<S> Service<RawRequest> for Compress<S>
where
    S: Service<RawRequest, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, Map<Squeezing<S>, Unwrap<S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.compression.poll_ready(cx)
    }

    fn call(&mut self, req: RawRequest) -> Self::Future {
        if asks_for_compression(&req) {
            let unwrap: Unwrap<S::Error> = |outcome| outcome.map(with_our_body);
            Either::Right(self.compression.call(req).map(unwrap))
        } else {
            Either::Left(self.compression.get_mut().call(req))
        }
    }
}

/// Only then tower-http is let near it: it would answer 406 to a request that refuses even the plain
/// form, although the work is done by then.
fn asks_for_compression(req: &RawRequest) -> bool {
    let encodings = req.headers().get_all(ACCEPT_ENCODING).iter();
    encodings
        .filter_map(|it| it.to_str().ok())
        .any(|it| it.contains("gzip") || it.contains("br"))
}

fn with_our_body(response: http::Response<CompressionBody<Body>>) -> Response {
    let is_encoded = response.headers().contains_key(CONTENT_ENCODING);
    response.map(|body| {
        if is_encoded {
            Body::stream(body)
        } else {
            body.into_inner()
        }
    })
}
