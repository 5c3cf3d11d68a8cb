//! The layers in their order: the one place where it is drawn.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tower::{Service, ServiceBuilder, ServiceExt};

use super::layers::around::AroundLayer;
use super::layers::body_limit::RefuseHugeBodies;
use super::layers::catch_panic::CatchPanicLayer;
use super::layers::compression::CompressLayer;
use super::layers::cors::{BadOrigin, Cookies, KnownOrigins};
use super::layers::failure::FailureLayer;
use super::layers::head::BodilessHead;
use super::layers::pages::SecurePages;
use super::layers::render::RenderProblems;
use super::layers::request_id::NameRequest;
use super::layers::span::SpanLayer;
use super::layers::trace::TraceRequests;
use super::layers::{deadline, shed};
use super::router::Router;
use super::{RawRequest, Response, Traffic};

/// What differs between the listeners.
#[derive(Clone, Debug)]
pub struct StackOptions {
    /// The listener's name, a label of its metrics.
    pub listener: &'static str,
    /// From a request's head to its answer's.
    pub deadline: Duration,
    /// Requests in flight at most. `None` sheds nothing: probes must be answered under any load.
    pub requests_max: Option<usize>,
    /// The origins that browsers may call from.
    pub origins: Vec<String>,
    /// Whether they may have cookies sent along.
    pub cookies: Cookies,
}

/// Puts the layers around a router.
///
/// # Errors
/// On an origin that is none.
pub fn build(router: Router, options: StackOptions, traffic: &Traffic) -> Result<Stack, BadOrigin> {
    let largest = router.body_bytes_max();
    // The first layer is the outermost.
    let service = ServiceBuilder::new()
        // Everything below may log or answer, so the request's name comes first,
        .layer(AroundLayer(NameRequest(traffic.clone())))
        // then the span that carries the name to every line,
        .layer(SpanLayer)
        // and the line and the metrics, which see the final status whatever happened below.
        .layer(AroundLayer(TraceRequests::new(options.listener, traffic)))
        // Nothing below knows of HEAD, so that its headers are those of the GET.
        .layer(AroundLayer(BodilessHead))
        // A browser must be able to read every answer below, a 503 and its Retry-After too. A preflight
        // ends here and costs neither a place, nor a compression, nor a route.
        .option_layer(KnownOrigins::new(&options.origins, options.cookies)?)
        // A page is safe whichever module made it.
        .layer(AroundLayer(SecurePages))
        // Every refusal from here on down is a problem without a body; this writes it.
        .layer(AroundLayer(RenderProblems))
        // A panic is a problem as well, in a layer or in a handler.
        .layer(CatchPanicLayer)
        // tower's own errors become problems right outside the layers that make them.
        .layer(FailureLayer)
        // Shed directly outside the limit: nothing may wait for a place (see `shed`).
        .option_layer(options.requests_max.map(shed::layer))
        // The clock runs for admitted requests only; a request that is given up frees its place.
        .layer(deadline::layer(options.deadline))
        .layer(CompressLayer)
        .layer(AroundLayer(RefuseHugeBodies { largest }))
        .service(router);
    Ok(Stack::new(service))
}

/// A whole stack with its types erased, once. Clones share it.
///
/// It runs a fresh clone of the layers for each request, so calls do not wait for each other; what
/// they share (limits, routes, metrics) the layers keep behind an `Arc`.
#[derive(Clone)]
pub struct Stack(Arc<dyn Fn(RawRequest) -> BoxFuture<'static, Answer> + Send + Sync>);

type Answer = Result<Response, Infallible>;

impl Stack {
    /// Erases a service's type.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<RawRequest, Response = Response, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Self(Arc::new(move |req| {
            let mut service = service.clone();
            // Our layers are always ready (see `shed`). So a request carries the layers' futures alone and
            // no room for the layers, which at this rate is felt.
            let mut nobody = Context::from_waker(Waker::noop());
            match service.poll_ready(&mut nobody) {
                Poll::Ready(Ok(())) => service.call(req).boxed(),
                Poll::Ready(Err(never)) => match never {},
                Poll::Pending => service.oneshot(req).boxed(),
            }
        }))
    }

    /// Answers a request.
    pub fn answer(&self, req: RawRequest) -> BoxFuture<'static, Answer> {
        (self.0)(req)
    }
}

impl Service<RawRequest> for Stack {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: RawRequest) -> Self::Future {
        self.answer(req)
    }
}
