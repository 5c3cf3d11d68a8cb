//! A listener: accepts connections, as many as it may, until it is told to stop.
//!
//! HTTP/1.1 and HTTP/2 with prior knowledge on one port, WebSocket upgrades included. Stopping takes
//! in what the kernel has already accepted for us, then closes the port; `connection` sees to it that
//! no request that was accepted fails.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use prometheus::IntGauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Traffic;
use super::client_addr::Peer;
use super::connection::converse;
use super::stack::Stack;
use super::traffic::RouteStats;
use crate::lifecycle::Lifecycle;
use crate::problem::{BoxError, ErrorCode, Problem, codes};

/// The largest head of a request, and what is read ahead of an HTTP/1 connection.
const HEAD_BYTES_MAX: u32 = 32 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;
/// How often an HTTP/2 connection is asked for a sign of life, and how long it may take to give one.
const HTTP2_PING_EVERY: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(15);
/// What a slow HTTP/2 reader may make us hold, each stream.
const HTTP2_SEND_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// A fit idle timeout: longer than proxies keep idle connections to us (often a minute), so that it is
/// they who close one, and no request of theirs meets a connection that we are just closing.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// After an accept that failed for want of something, such as file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What differs between the listeners.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The listener's name, a label of its metrics.
    pub listener: &'static str,
    /// Connections at most, WebSockets included. More wait in the kernel.
    pub connections_max: usize,
    /// From accepting a connection to the end of its first request's head, and about as long from the
    /// first byte to the last of a later one.
    pub header_timeout: Duration,
    /// How long a connection may be kept without asking anything.
    pub idle_timeout: Duration,
    /// Turned when no further connection is to be taken; after the soft token, never before.
    pub stop_accepting: CancellationToken,
}

/// Serves a bound listener in the background. The process cannot live without it.
pub fn serve(
    socket: TcpListener,
    stack: Stack,
    options: ServerOptions,
    lifecycle: &Lifecycle,
    traffic: &Traffic,
) {
    let listening = Arc::new(Listening {
        http: protocol(lifecycle),
        seats: Arc::new(Semaphore::new(options.connections_max)),
        open: traffic.connections(options.listener),
        unrouted: traffic.unrouted(options.listener),
        listener: options.listener,
        header_timeout: options.header_timeout,
        idle_timeout: options.idle_timeout,
        stop_accepting: options.stop_accepting,
        traffic: traffic.clone(),
        lifecycle: lifecycle.clone(),
        stack,
    });
    lifecycle.spawn_vital("listener", listening.run(socket));
}

/// What the connections of a listener share.
pub(crate) struct Listening {
    pub(crate) http: auto::Builder<TrackedExecutor>,
    pub(crate) stack: Stack,
    pub(crate) traffic: Traffic,
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) stop_accepting: CancellationToken,
    listener: &'static str,
    seats: Arc<Semaphore>,
    open: IntGauge,
    unrouted: Arc<RouteStats>,
    lifecycle: Lifecycle,
}

/// A connection's place: counted while it lives, given back when it is dropped.
pub(crate) struct Seat {
    open: IntGauge,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.open.dec();
    }
}

impl Listening {
    async fn run(self: Arc<Self>, socket: TcpListener) -> Result<(), BoxError> {
        let stop = self.stop_accepting.clone();
        loop {
            // At the limit nothing is accepted: further clients wait in the kernel's queue.
            let permit = tokio::select! {
                permit = self.seats.clone().acquire_owned() => permit?,
                () = stop.cancelled() => break,
            };
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((tcp, peer)) => self.start(tcp, peer, Some(permit)),
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    warn!(listener = self.listener, %error, "cannot accept connections for now");
                    let _ = tokio::time::timeout(ACCEPT_PAUSE, stop.cancelled()).await;
                }
            }
        }
        if let Err(error) = self.accept_the_rest(socket) {
            warn!(listener = self.listener, %error, "cannot take in the last connections");
        }
        info!(listener = self.listener, "takes no further connections");
        Ok(())
    }

    /// Takes in the connections that the kernel has accepted for us: dropping the socket would reset
    /// them. Its queue bounds their number, so the limit is not asked.
    fn accept_the_rest(self: &Arc<Self>, socket: TcpListener) -> io::Result<()> {
        // Without tokio, which would ask the kernel only after it was told of something new.
        let socket = socket.into_std()?;
        loop {
            match socket.accept() {
                Ok((tcp, peer)) => {
                    tcp.set_nonblocking(true)?;
                    self.start(TcpStream::from_std(tcp)?, peer, None);
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn start(
        self: &Arc<Self>,
        tcp: TcpStream,
        peer: SocketAddr,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        self.open.inc();
        let seat = Seat {
            open: self.open.clone(),
            _permit: permit,
        };
        self.lifecycle
            .spawn("connection", converse(self.clone(), tcp, Peer(peer), seat));
    }

    /// Our words for a request that hyper could not read and so never came to the stack.
    pub(crate) fn rephrase(&self, status: u16) -> Option<Bytes> {
        let code: &'static ErrorCode = match status {
            400 => &codes::MALFORMED_REQUEST,
            414 => &codes::URI_TOO_LONG,
            431 => &codes::HEADERS_TOO_LARGE,
            _ => return None,
        };
        let problem = Problem::new(code);
        let status = problem.status();
        let request_id = self.traffic.ids().make();
        self.unrouted.count(status, Duration::ZERO);
        info!(listener = self.listener, %request_id, code = code.name, "unreadable request");
        Some(closing_answer(
            status,
            request_id.as_str(),
            &problem.body(request_id.as_str()),
        ))
    }
}

fn closing_answer(status: StatusCode, request_id: &str, body: &[u8]) -> Bytes {
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\n\
         x-request-id: {request_id}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer.into()
}

/// An accept that failed because of the one client that it was for.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

fn protocol(lifecycle: &Lifecycle) -> auto::Builder<TrackedExecutor> {
    let mut http = auto::Builder::new(TrackedExecutor(lifecycle.clone()));
    // hyper's own timer is set anew for every request; the connection's pulse does with one.
    http.http1()
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES_MAX as usize);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HTTP2_PING_EVERY)
        .keep_alive_timeout(HTTP2_PING_TIMEOUT)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX)
        .max_send_buf_size(HTTP2_SEND_BUFFER_BYTES_MAX);
    http
}

/// Runs hyper's tasks (one for each HTTP/2 request) where the process can see them.
#[derive(Clone)]
pub(crate) struct TrackedExecutor(Lifecycle);

impl<F> hyper::rt::Executor<F> for TrackedExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn("http2 request", task);
    }
}
