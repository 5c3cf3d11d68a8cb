//! HTTP: the stack by calls, the server and its sockets by real connections.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail in the middle, and its clients are no tasks of the server"
)]

mod browsers;
mod connections;
mod content;
mod cookies;
mod layers;
mod logging;
mod probes;
mod routing;
mod sockets;
mod stopping;

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::http::layers::cors::Cookies;
use halobestie_core::http::request::RequestBody;
use halobestie_core::http::router::{RouteError, Router};
use halobestie_core::http::server::{ServerOptions, serve};
use halobestie_core::http::stack::{Stack, StackOptions, build};
use halobestie_core::http::{RawRequest, Response, Routes, Traffic};
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::metrics::Metrics;
use halobestie_core::ports::{Authenticator, Ports, Principal, Role, TokenRejected};
use halobestie_core::timestamp::Timestamp;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

/// Nothing in these tests should take this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Core's HTTP half around some routes, with limits that no test reaches by being slow.
struct Site {
    ports: Ports,
    metrics: Metrics,
    traffic: Traffic,
    options: StackOptions,
    header_timeout: Duration,
    idle_timeout: Duration,
}

impl Site {
    fn new() -> Self {
        let metrics = Metrics::default();
        let traffic = Traffic::new(&metrics, Clock::system(), &Entropy::system());
        let ports = Ports::default();
        ports.authenticator.fill(Arc::new(Doorman));
        let options = StackOptions {
            listener: "public",
            deadline: PATIENCE,
            requests_max: Some(100),
            origins: Vec::new(),
            cookies: Cookies::Ignored,
        };
        Self {
            ports,
            metrics,
            traffic,
            options,
            header_timeout: PATIENCE,
            idle_timeout: PATIENCE,
        }
    }

    /// One that loses its patience with connections soon.
    fn impatient() -> Self {
        Self {
            header_timeout: Duration::from_millis(300),
            idle_timeout: Duration::from_millis(600),
            ..Self::new()
        }
    }

    fn router(&self, routes: impl Into<Routes>) -> Result<Router, RouteError> {
        Router::new("public", routes.into(), &self.ports, &self.traffic)
    }

    fn stack(&self, routes: impl Into<Routes>) -> Stack {
        let router = self.router(routes).unwrap();
        build(router, self.options.clone(), &self.traffic).unwrap()
    }

    async fn serve(&self, routes: impl Into<Routes>) -> Served {
        self.serve_at_most(100, routes).await
    }

    async fn serve_at_most(&self, connections_max: usize, routes: impl Into<Routes>) -> Served {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let (lifecycle, stop_accepting) = (Lifecycle::default(), CancellationToken::new());
        let options = ServerOptions {
            listener: "public",
            connections_max,
            header_timeout: self.header_timeout,
            idle_timeout: self.idle_timeout,
            stop_accepting: stop_accepting.clone(),
        };
        serve(
            socket,
            self.stack(routes),
            options,
            &lifecycle,
            &self.traffic,
        );
        Served {
            port,
            lifecycle,
            stop_accepting,
        }
    }

    fn metric(&self, line: &str) -> Option<f64> {
        let text = self.metrics.render();
        text.lines()
            .find_map(|it| it.strip_prefix(line)?.trim().parse().ok())
    }
}

/// A site with a port.
struct Served {
    port: u16,
    lifecycle: Lifecycle,
    stop_accepting: CancellationToken,
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    fn stop(&self) {
        self.lifecycle.shut_down();
        self.stop_accepting.cancel();
    }

    /// Stops; true when everything ended by itself.
    async fn finish(&self) -> bool {
        self.stop();
        self.lifecycle.finish(PATIENCE).await
    }
}

/// Takes the name of a role for a token of somebody who has it.
struct Doorman;

const CALLER: Uuid = Uuid::from_u128(7);

impl Authenticator for Doorman {
    fn authenticate(&self, access_token: &str) -> Result<Principal, TokenRejected> {
        if access_token == "expired" {
            return Err(TokenRejected::Expired);
        }
        let role: Role = access_token.parse().map_err(|_| TokenRejected::Invalid)?;
        let expires_at = Timestamp::from_unix_ms(0);
        Ok(Principal {
            user_id: CALLER,
            role,
            session_id: Uuid::nil(),
            expires_at,
        })
    }

    fn is_revoked(&self, _: Uuid) -> bool {
        false
    }

    fn revocations(&self) -> broadcast::Receiver<Uuid> {
        broadcast::channel(1).1
    }
}

fn request(method: &str, path: &str) -> RawRequest {
    http::Request::builder()
        .method(method)
        .uri(path)
        .body(RequestBody::default())
        .unwrap()
}

fn with_header(mut req: RawRequest, name: &'static str, value: &'static str) -> RawRequest {
    req.headers_mut().insert(name, value.parse().unwrap());
    req
}

fn with_body(mut req: RawRequest, body: impl Into<bytes::Bytes>) -> RawRequest {
    let body = Full::new(body.into()).map_err(|never| match never {});
    *req.body_mut() = body.boxed_unsync();
    req
}

async fn ask(stack: &Stack, req: RawRequest) -> Response {
    stack.clone().oneshot(req).await.unwrap()
}

/// An answer with its body read.
#[derive(Debug)]
struct Read {
    status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Read {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The code of a problem, after checking that it is one.
    fn code(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        problem["code"].as_str().unwrap().to_owned()
    }
}

async fn read(stack: &Stack, req: RawRequest) -> Read {
    let (head, body) = ask(stack, req).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Read {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
    }
}
