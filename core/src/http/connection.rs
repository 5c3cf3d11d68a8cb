//! One connection, from its first byte to its last.
//!
//! It serves until the client ends it, its pulse lapses, or the server stops accepting. Then it must
//! go, without failing a request that the client may already have sent: HTTP/2 has a handshake for
//! that; an HTTP/1 connection goes on for a moment, so that a request on the wire is read and answered
//! with `Connection: close`, and only a silent one is closed under the client.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
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
use tokio::time::timeout;
use tracing::debug;

use super::client_addr::Peer;
use super::pulse::{Lapse, Pulse};
use super::request::RequestBody;
use super::server::{Listening, Seat};
use super::wire::Wire;
use super::ws::OpenSockets;
use super::{RawRequest, Response};
use crate::quiet::quiet;

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
    let pulse = Arc::new(Pulse::default());
    let rephrase = Box::new({
        let listening = listening.clone();
        move |status| listening.rephrase(status)
    });
    let wire = Wire::new(tcp, pulse.clone(), rephrase, seat);
    let service = Conversation {
        listening: listening.clone(),
        pulse: pulse.clone(),
        peer,
    };
    let connection = listening
        .http
        .serve_connection_with_upgrades(TokioIo::new(wire), service);
    let mut connection = pin!(connection);

    let end = tokio::select! {
        biased;
        outcome = connection.as_mut() => return ended(outcome),
        end = quiet(end_of(&listening, &pulse)) => end,
    };
    match end {
        End::Lapse(Lapse::NoHead) => {
            return debug!("a request did not come to the end of its head");
        }
        End::Lapse(Lapse::Idle) => {}
        End::Stop if pulse.is_http2() => {}
        End::Stop => {
            pulse.make_last();
            if let Ok(outcome) = timeout(FAREWELL, connection.as_mut()).await {
                return ended(outcome);
            }
        }
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        outcome = connection => ended(outcome),
        // A head that has begun would be waited for; one that does not end must not hold up the stop.
        _ = quiet(pulse.watch(FAREWELL, Duration::MAX)) => debug!("the last head did not end"),
    }
}

/// Why we end a connection.
enum End {
    Lapse(Lapse),
    Stop,
}

async fn end_of(listening: &Listening, pulse: &Pulse) -> End {
    tokio::select! {
        lapse = pulse.watch(listening.header_timeout, listening.idle_timeout) => End::Lapse(lapse),
        () = listening.stop_accepting.cancelled() => End::Stop,
    }
}

fn ended<E: std::fmt::Display>(outcome: Result<(), E>) {
    if let Err(error) = outcome {
        // Clients vanish all the time; what they were answered has its own line.
        debug!(%error, "a connection ended early");
    }
}

/// The service of one connection.
struct Conversation {
    listening: Arc<Listening>,
    pulse: Arc<Pulse>,
    peer: Peer,
}

impl hyper::service::Service<http::Request<Incoming>> for Conversation {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, req: http::Request<Incoming>) -> Answering {
        let is_http2 = req.version() == Version::HTTP_2;
        self.pulse.begin(is_http2);
        let pulse = self.pulse.clone();
        Answering {
            inner: self.listening.stack.answer(self.prepared(req)),
            pulse,
            is_http2,
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
    pulse: Arc<Pulse>,
    is_http2: bool,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.pulse.end();
    }
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(self.inner.as_mut().poll(cx))?;
        let is_upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if self.pulse.is_last() && !self.is_http2 && !is_upgrade {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response))
    }
}
