//! An upstream in front of its port: connections, HTTP/1.1 and HTTP/2 with prior knowledge.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::lifecycle::Lifecycle;
use http::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tracing::debug;

use super::Upstream;
use super::call::{Call, RecordedCall};
use super::exchange::exchange;
use super::port::{Port, Wires};
use crate::knobs::Knobs;
use crate::ring::Ring;

/// Connections at once; more wait in the kernel.
const CONNECTIONS_MAX: usize = 512;
/// Streams at once on an HTTP/2 connection: as many as Google lets a client have.
const STREAMS_MAX: u32 = 100;
/// After an accept or a bind that failed.
const PAUSE: Duration = Duration::from_millis(20);

/// An upstream, its knobs, and the record of its calls.
pub(crate) struct Front<U> {
    pub(crate) upstream: U,
    pub(crate) knobs: Knobs,
    port: Port,
    clock: Clock,
    numbers: AtomicU64,
    calls: Mutex<Ring<RecordedCall>>,
}

impl<U: Upstream> Front<U> {
    pub(crate) fn new(
        upstream: U,
        port: Port,
        codes: &'static [&'static str],
        clock: Clock,
        keep: usize,
    ) -> Self {
        Self {
            upstream,
            knobs: Knobs::new(codes, U::can_end, port.clone()),
            port,
            clock,
            numbers: AtomicU64::new(0),
            calls: Mutex::new(Ring::new(keep)),
        }
    }

    /// Where it listens: `http://127.0.0.1:port`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// The calls that came in, oldest first.
    pub(crate) fn calls(&self) -> Vec<RecordedCall> {
        self.lock().iter().cloned().collect()
    }

    /// Serves in the background until the lifecycle ends. Returns when the port is open.
    pub(crate) async fn serve(self: &Arc<Self>, lifecycle: &Lifecycle) {
        let front = self.clone();
        let task = front.accept(lifecycle.clone());
        lifecycle.spawn("sandbox listener", task);
        self.port.open().await;
    }

    async fn accept(self: Arc<Self>, lifecycle: Lifecycle) {
        let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            self.port.wanted(true).await;
            let Ok(listener) = self.port.listen() else {
                sleep(PAUSE).await;
                continue;
            };
            tokio::select! {
                () = self.port.wanted(false) => {}
                () = self.accept_on(&listener, &seats, &lifecycle) => {}
                () = lifecycle.soft().cancelled() => return,
            }
            drop(listener);
            self.port.closed();
        }
    }

    /// Never ends by itself.
    async fn accept_on(
        self: &Arc<Self>,
        listener: &TcpListener,
        seats: &Arc<Semaphore>,
        lifecycle: &Lifecycle,
    ) {
        while let Ok(seat) = seats.clone().acquire_owned().await {
            match listener.accept().await {
                Ok((tcp, _)) => {
                    let conversation = self.clone().converse(tcp, seat, lifecycle.clone());
                    lifecycle.spawn("sandbox connection", conversation);
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    async fn converse(
        self: Arc<Self>,
        tcp: TcpStream,
        _seat: OwnedSemaphorePermit,
        lifecycle: Lifecycle,
    ) {
        let Wires { cut, drain } = self.port.wires();
        let wire = cut.child_token();
        let _ = tcp.set_nodelay(true);
        let answer = service_fn(|request| exchange(self.clone(), request, wire.clone()));
        let http = protocol(&lifecycle);
        let connection = http.serve_connection(TokioIo::new(tcp), answer);
        tokio::pin!(connection);
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = wire.cancelled() => return,
            () = lifecycle.soft().cancelled() => return,
            () = drain.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    outcome = connection.as_mut() => outcome,
                    () = wire.cancelled() => return,
                    () = lifecycle.soft().cancelled() => return,
                }
            }
        };
        if let Err(error) = outcome {
            debug!(%error, "a connection to the sandbox ended badly");
        }
    }

    pub(super) fn record(&self, call: &Call, operation: &'static str) -> u64 {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        self.lock()
            .push(RecordedCall::of(call, number, operation, &self.clock));
        number
    }

    pub(super) fn answered(&self, number: u64, status: StatusCode) {
        if let Some(call) = self.lock().get_mut(&number.to_string()) {
            call.status = Some(status.as_u16());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ring<RecordedCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn protocol(lifecycle: &Lifecycle) -> auto::Builder<TrackedExecutor> {
    let mut http = auto::Builder::new(TrackedExecutor(lifecycle.clone()));
    http.http1().timer(TokioTimer::new());
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX);
    http
}

/// Runs hyper's tasks under the sandbox's lifecycle, so that they end with it.
#[derive(Clone)]
pub(crate) struct TrackedExecutor(pub(crate) Lifecycle);

impl<F> hyper::rt::Executor<F> for TrackedExecutor
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn("sandbox http", async move {
            task.await;
        });
    }
}

/// The error of a port that is taken, with the port named.
pub(crate) fn taken(address: std::net::SocketAddr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen at {address}: {error}"))
}
