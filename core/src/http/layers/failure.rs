//! Ends tower's own errors: above this layer a service cannot fail, it can only answer.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::{Either, Map, Ready, ready};
use tower::{Layer, Service};

use super::{deadline, shed};
use crate::http::{RawRequest, Response, reply};
use crate::problem::{BoxError, Problem};

/// The layer.
#[derive(Clone, Copy, Debug)]
pub struct FailureLayer;

impl<S> Layer<S> for FailureLayer {
    type Service = Unfailing<S>;
    fn layer(&self, inner: S) -> Unfailing<S> {
        Unfailing {
            inner,
            unready: None,
        }
    }
}

/// A service whose errors are problems.
#[derive(Debug)]
pub struct Unfailing<S> {
    inner: S,
    // A service that failed to get ready must not be called; its error is the answer.
    unready: Option<BoxError>,
}

impl<S: Clone> Clone for Unfailing<S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            unready: None,
        }
    }
}

type Answer = Result<Response, Infallible>;

impl<S> Service<RawRequest> for Unfailing<S>
where
    S: Service<RawRequest, Response = Response, Error = BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Map<S::Future, fn(Result<Response, BoxError>) -> Answer>, Ready<Answer>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx).map(|outcome| {
            self.unready = outcome.err();
            Ok(())
        })
    }

    fn call(&mut self, req: RawRequest) -> Self::Future {
        match self.unready.take() {
            Some(error) => Either::Right(ready(answer(Err(error)))),
            None => Either::Left(self.inner.call(req).map(answer)),
        }
    }
}

fn answer(outcome: Result<Response, BoxError>) -> Answer {
    Ok(outcome.unwrap_or_else(|error| {
        let known = shed::problem(&error).or_else(|| deadline::problem(&error));
        reply::problem(known.unwrap_or_else(|| Problem::internal(error)))
    }))
}
