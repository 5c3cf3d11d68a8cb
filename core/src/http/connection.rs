//! One connection, from its first byte to its last.
//!
//! Its life has three parts. Until its first request it is on probation. Then it serves until the
//! server stops accepting. Then it must go, without failing a request that the client may already have
//! sent: HTTP/2 has a handshake for that; an HTTP/1 connection goes on for a moment, so that a request
//! on the wire is read and answered with `Connection: close`, and only a silent one is closed under
//! the client.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header::{CONNECTION, HeaderValue};
use http::{StatusCode, Version};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::request::{Peer, RequestBody};
use super::server::{Listening, Seat};
use super::wire::Wire;
use super::ws::OpenSockets;
use super::{RawRequest, Response};

/// How long a connection that says nothing is kept after the server has stopped accepting.
const FAREWELL: Duration = Duration::from_secs(1);

/// The stream beneath an HTTP connection, and beneath a WebSocket that began as one.
pub(crate) type Stream = Wire<Seat>;

/// Serves a connection until it ends.
pub(crate) async fn converse(listening: Arc<Listening>, tcp: TcpStream, peer: Peer, seat: Seat) {
    if let Err(error) = tcp.set_nodelay(true) {
        debug!(%error, "a connection was gone before it was served");
        return;
    }
    let state = Arc::new(State::default());
    let words = listening.clone();
    let wire = Wire::new(tcp, Box::new(move |status| words.rephrase(status)), seat);
    let service = Conversation {
        listening: listening.clone(),
        state: state.clone(),
        peer,
    };
    let connection = listening
        .http
        .serve_connection_with_upgrades(TokioIo::new(wire), service);
    let mut connection = pin!(connection);

    tokio::select! {
        outcome = connection.as_mut() => return ended(outcome),
        () = state.probation(listening.header_timeout) => return debug!("a connection never began a request"),
        () = listening.stop_accepting.cancelled() => state.stopping.store(true, Ordering::Relaxed),
    }
    if !state.is_http2.load(Ordering::Relaxed)
        && let Ok(outcome) = timeout(FAREWELL, connection.as_mut()).await
    {
        return ended(outcome);
    }
    connection.as_mut().graceful_shutdown();
    ended(connection.await);
}

fn ended<E: std::fmt::Display>(outcome: Result<(), E>) {
    if let Err(error) = outcome {
        // Clients vanish all the time; what they were answered has its own line.
        debug!(%error, "a connection ended early");
    }
}

/// What the connection's task and its service tell each other.
#[derive(Default)]
struct State {
    has_begun: AtomicBool,
    is_http2: AtomicBool,
    stopping: AtomicBool,
}

impl State {
    /// Ends when no request has begun in time: hyper's own timer does not run before it knows which
    /// HTTP is spoken, nor on an HTTP/2 connection without requests.
    async fn probation(&self, limit: Duration) {
        sleep(limit).await;
        if self.has_begun.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }
}

/// The service of one connection.
struct Conversation {
    listening: Arc<Listening>,
    state: Arc<State>,
    peer: Peer,
}

impl hyper::service::Service<http::Request<Incoming>> for Conversation {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, req: http::Request<Incoming>) -> Answering {
        self.state.has_begun.store(true, Ordering::Relaxed);
        let is_http2 = req.version() == Version::HTTP_2;
        if is_http2 {
            self.state.is_http2.store(true, Ordering::Relaxed);
        }
        let inner = self.listening.stack.answer(self.prepared(req));
        Answering {
            inner,
            http1: (!is_http2).then(|| self.state.clone()),
        }
    }
}

impl Conversation {
    fn prepared(&self, req: http::Request<Incoming>) -> RawRequest {
        let mut req = req.map(boxed);
        req.extensions_mut().insert(self.peer);
        if req.extensions().get::<OnUpgrade>().is_some() {
            let sockets = self.listening.traffic.sockets().clone();
            req.extensions_mut().insert(OpenSockets(sockets));
        }
        req
    }
}

fn boxed(body: Incoming) -> RequestBody {
    // The common case, a request without a body, costs no allocation.
    if body.is_end_stream() {
        RequestBody::default()
    } else {
        body.map_err(Into::into).boxed_unsync()
    }
}

/// An answer in the making.
struct Answering {
    inner: BoxFuture<'static, Result<Response, Infallible>>,
    http1: Option<Arc<State>>,
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(self.inner.as_mut().poll(cx))?;
        let is_last = self
            .http1
            .as_ref()
            .is_some_and(|it| it.stopping.load(Ordering::Relaxed));
        if is_last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response))
    }
}
