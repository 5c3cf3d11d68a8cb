//! The shape that most of our layers share: something before the inner service, something after it.
//!
//! A layer of this shape says in two functions what it does and costs no allocation. It forwards
//! readiness and does nothing else with it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::http::{RawRequest, Response};

/// What a layer does on both sides of the inner service.
pub trait Around: Clone {
    /// What it keeps from the request until the response.
    type Memory;

    /// Looks at the request and may change it.
    ///
    /// # Errors
    /// A response, when the inner service is not to be called.
    fn before(&self, req: &mut RawRequest) -> Result<Self::Memory, Response>;

    /// Looks at the response and may change it.
    fn after(memory: Self::Memory, response: Response) -> Response;
}

/// Makes a layer of an [`Around`].
#[derive(Clone, Debug)]
pub struct AroundLayer<A>(pub A);

impl<A: Around, S> Layer<S> for AroundLayer<A> {
    type Service = AroundService<A, S>;
    fn layer(&self, inner: S) -> Self::Service {
        AroundService {
            around: self.0.clone(),
            inner,
        }
    }
}

/// A service with something around it.
#[derive(Clone, Debug)]
pub struct AroundService<A, S> {
    around: A,
    inner: S,
}

impl<A, S> Service<RawRequest> for AroundService<A, S>
where
    A: Around,
    S: Service<RawRequest, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = AroundFuture<A, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut req: RawRequest) -> Self::Future {
        let (inner, memory, refusal) = match self.around.before(&mut req) {
            Ok(memory) => (Some(self.inner.call(req)), Some(memory), None),
            Err(response) => (None, None, Some(Box::new(response))),
        };
        AroundFuture {
            inner,
            memory,
            refusal,
        }
    }
}

pin_project! {
    /// The inner service's future, and what comes after it.
    #[derive(Debug)]
    pub struct AroundFuture<A, F>
    where
        A: Around,
    {
        #[pin]
        inner: Option<F>,
        memory: Option<A::Memory>,
        // Boxed: it is rare, and every request would carry room for it.
        refusal: Option<Box<Response>>,
    }
}

impl<A, F, E> Future for AroundFuture<A, F>
where
    A: Around,
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Ok(*this.refusal.take().unwrap_or_default()));
        };
        let response = ready!(inner.poll(cx))?;
        Poll::Ready(Ok(match this.memory.take() {
            Some(memory) => A::after(memory, response),
            None => response,
        }))
    }
}
