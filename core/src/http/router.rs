//! From a request to the row that answers it: path, then method, then the guard, then the handler.
//!
//! One router a listener. Whatever could go wrong with its table goes wrong when it is built, so that
//! a start fails and not a request.

mod mounting;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Map};
use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};
use matchit::Params;
use percent_encoding::percent_decode_str;
use tower::Service;

use crate::http::exchange::Exchange;
use crate::http::layers::guard::Guard;
use crate::http::routes::Endpoint;
use crate::http::traffic::RouteStats;
use crate::http::{Body, RawRequest, Reply, Request, Response, Routes, Traffic, reply};
use crate::ports::Ports;
use crate::problem::{Problem, codes};

pub use mounting::RouteError;

/// The routes of one listener. Clones share them.
#[derive(Clone)]
pub struct Router {
    paths: Arc<matchit::Router<Methods>>,
    body_bytes_max: usize,
}

/// Everything that answers at one path.
struct Methods {
    rows: Vec<Mounted>,
    allow: HeaderValue,
}

/// A row in its place.
struct Mounted {
    method: Method,
    body_bytes_max: usize,
    stats: Arc<RouteStats>,
    service: Guard<Handler>,
}

impl Router {
    /// Mounts a table.
    ///
    /// # Errors
    /// See [`RouteError`].
    pub fn new(
        listener: &'static str,
        routes: Routes,
        ports: &Ports,
        traffic: &Traffic,
    ) -> Result<Self, RouteError> {
        let body_bytes_max = routes
            .rows
            .iter()
            .map(|row| row.body_bytes_max)
            .max()
            .unwrap_or(0);
        let paths = mounting::mount(listener, routes.rows, ports, traffic)?;
        Ok(Self {
            paths: Arc::new(paths),
            body_bytes_max,
        })
    }

    /// The largest body that any row takes.
    pub fn body_bytes_max(&self) -> usize {
        self.body_bytes_max
    }

    fn route(&self, req: RawRequest) -> Result<(Guard<Handler>, Request), Response> {
        let (head, body) = req.into_parts();
        let not_found = || reply::problem(Problem::not_found());
        let found = self.paths.at(head.uri.path()).map_err(|_| not_found())?;
        let row = found.value.row(&head.method)?;
        let params = decoded(&found.params).ok_or_else(not_found)?;
        if let Some(exchange) = Exchange::of(&head.extensions) {
            exchange.set_route(&row.stats);
        }
        Ok((
            row.service.clone(),
            Request::new(head, body, params, None, row.body_bytes_max),
        ))
    }
}

impl Methods {
    fn new(rows: Vec<Mounted>) -> Self {
        let mut names: BTreeSet<&str> = rows.iter().map(|row| row.method.as_str()).collect();
        names.insert("OPTIONS");
        if names.contains("GET") {
            names.insert("HEAD");
        }
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        // Method names are tokens, which are fit for a header.
        let allow = HeaderValue::from_str(&names).unwrap_or(HeaderValue::from_static("OPTIONS"));
        Self { rows, allow }
    }

    /// The row for a method, or what is answered where there is none.
    fn row(&self, method: &Method) -> Result<&Mounted, Response> {
        let of = |method: &Method| self.rows.iter().find(|row| row.method == *method);
        let found = of(method).or_else(|| {
            if method == Method::HEAD {
                of(&Method::GET)
            } else {
                None
            }
        });
        found.ok_or_else(|| {
            if method == Method::OPTIONS {
                return self.options();
            }
            let allow = self.allow.to_str().unwrap_or_default().to_owned();
            reply::problem(Problem::new(&codes::METHOD_NOT_ALLOWED).allow(allow))
        })
    }

    fn options(&self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(ALLOW, self.allow.clone());
        response
    }
}

/// Path parameters with `%xx` read. `None` on bytes that are not text, or that Postgres would not take
/// as text: no such address can exist.
fn decoded(params: &Params<'_, '_>) -> Option<Vec<(String, String)>> {
    let mut decoded = Vec::new();
    for (name, value) in params.iter() {
        let value = percent_decode_str(value).decode_utf8().ok()?;
        if value.contains('\0') {
            return None;
        }
        decoded.push((name.to_owned(), value.into_owned()));
    }
    Some(decoded)
}

/// A row's endpoint as a service, so that the guard can be a layer around it.
#[derive(Clone)]
pub struct Handler(Endpoint);

impl Service<Request> for Handler {
    type Response = Response;
    type Error = Problem;
    type Future = BoxFuture<'static, Reply>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request) -> Self::Future {
        (self.0)(req)
    }
}

type Answer = Result<Response, Infallible>;
type Guarded = <Guard<Handler> as Service<Request>>::Future;

impl Service<RawRequest> for Router {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Answer>, Map<Guarded, fn(Reply) -> Answer>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: RawRequest) -> Self::Future {
        let answer: fn(Reply) -> Answer = |reply| Ok(reply.unwrap_or_else(reply::problem));
        match self.route(req) {
            Ok((mut service, req)) => Either::Right(service.call(req).map(answer)),
            Err(response) => Either::Left(ready(Ok(response))),
        }
    }
}
