//! From a request to the row that answers it: path, then method, then the guard, then the handler.
//!
//! One router a listener. Whatever could go wrong with its table goes wrong when it is built, so that
//! a start fails and not a request.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Map};
use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};
use matchit::{InsertError, Params};
use percent_encoding::percent_decode_str;
use tower::{Layer, Service};

use crate::http::exchange::Exchange;
use crate::http::layers::guard::{Guard, GuardLayer};
use crate::http::routes::{Endpoint, Row};
use crate::http::traffic::RouteStats;
use crate::http::{Access, Body, RawRequest, Reply, Request, Response, Routes, Traffic, reply};
use crate::ports::Ports;
use crate::problem::{Problem, codes};

/// Why a route table cannot be served.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Two rows answer the same method and path.
    #[error("the {listener} listener has two routes for {method} {path}")]
    Twice {
        /// Where.
        listener: &'static str,
        /// Both rows' method.
        method: Method,
        /// Both rows' path.
        path: &'static str,
    },
    /// Two paths match the same addresses under different names.
    #[error("on the {listener} listener {method} {path} clashes with {with}")]
    Clash {
        /// Where.
        listener: &'static str,
        /// The later row's method.
        method: Method,
        /// The later row's path.
        path: &'static str,
        /// The earlier path, with its methods.
        with: String,
    },
    /// A path that is not in matchit's syntax.
    #[error("the path {path} of the {listener} listener cannot be read: {reason}")]
    Malformed {
        /// Where.
        listener: &'static str,
        /// The path.
        path: &'static str,
        /// Why.
        reason: InsertError,
    },
    /// A row asks for signed-in callers, and no enabled module can say who calls.
    #[error(
        "{method} {path} asks for a signed-in caller, but no enabled module provides the authenticator"
    )]
    NoAuthenticator {
        /// The row's method.
        method: Method,
        /// The row's path.
        path: &'static str,
    },
}

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
        let mut mounting = Mounting {
            listener,
            ports,
            traffic,
            paths: Vec::new(),
        };
        for row in routes.rows {
            mounting.mount(row)?;
        }
        Ok(Self {
            paths: Arc::new(mounting.finish()?),
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

/// A table on its way to a router: paths in the order of their first row.
struct Mounting<'a> {
    listener: &'static str,
    ports: &'a Ports,
    traffic: &'a Traffic,
    paths: Vec<(&'static str, Vec<Mounted>)>,
}

impl Mounting<'_> {
    fn mount(&mut self, row: Row) -> Result<(), RouteError> {
        let (listener, path, method) = (self.listener, row.path, row.method.clone());
        if row.access != Access::Anyone && self.ports.authenticator.get().is_none() {
            return Err(RouteError::NoAuthenticator { method, path });
        }
        let mounted = self.mounted(row);
        match self.paths.iter_mut().find(|(known, _)| *known == path) {
            None => self.paths.push((path, vec![mounted])),
            Some((_, rows)) if rows.iter().any(|it| it.method == method) => {
                return Err(RouteError::Twice {
                    listener,
                    method,
                    path,
                });
            }
            Some((_, rows)) => rows.push(mounted),
        }
        Ok(())
    }

    fn mounted(&self, row: Row) -> Mounted {
        let guard = GuardLayer::new(row.access, self.ports.authenticator.clone());
        Mounted {
            stats: self.traffic.route(self.listener, row.path, &row.method),
            method: row.method,
            body_bytes_max: row.body_bytes_max,
            service: guard.layer(Handler(row.endpoint)),
        }
    }

    fn finish(self) -> Result<matchit::Router<Methods>, RouteError> {
        let Self {
            listener, paths, ..
        } = self;
        let mut router = matchit::Router::new();
        let mut allowed = Vec::<(&str, HeaderValue)>::new();
        for (path, rows) in paths {
            let method = rows
                .first()
                .map(|row| row.method.clone())
                .unwrap_or_default();
            let methods = Methods::new(rows);
            let allow = methods.allow.clone();
            router.insert(path, methods).map_err(|error| match error {
                InsertError::Conflict { with } => {
                    let known = allowed.iter().find(|(path, _)| *path == with);
                    let methods = known
                        .and_then(|(_, allow)| allow.to_str().ok())
                        .unwrap_or("");
                    let with = format!("{with} ({methods})");
                    RouteError::Clash {
                        listener,
                        method,
                        path,
                        with,
                    }
                }
                reason => RouteError::Malformed {
                    listener,
                    path,
                    reason,
                },
            })?;
            allowed.push((path, allow));
        }
        Ok(router)
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
