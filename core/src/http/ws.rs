//! WebSockets: the handshake, a socket with deadlines, and the close codes.
//!
//! A socket that is idle should cost little: it sits directly on the TCP stream, with small buffers.
//! Pings of the client and its good-bye are answered here; everything else is the caller's.

mod handshake;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use prometheus::IntGauge;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tracing::{debug, error};

use crate::http::connection::Stream;
use crate::http::{Reply, Request};
use crate::lifecycle::Lifecycle;

/// The subprotocol we speak.
pub const SUBPROTOCOL: &str = "halobestie.v1";

/// Held by every socket, so small; a larger message gets a buffer of its size while it lasts.
const READ_BUFFER_BYTES: usize = 2 * 1024;
/// Frames gather up to this size between flushes.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;
/// From our 101 to the open socket.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long we wait for the client to answer our good-bye.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// Why we close a socket: what `docs/errors.md` lists.
#[derive(Debug, PartialEq, Eq)]
pub struct CloseCode {
    /// The code on the wire (RFC 6455 §7.4).
    pub code: u16,
    /// The reason text on the wire.
    pub name: &'static str,
    /// What happened.
    pub meaning: &'static str,
    /// What a client should do.
    pub client: &'static str,
}

/// Our close codes.
pub mod close {
    use super::CloseCode;

    /// The other side said good-bye; answered in kind.
    pub static NORMAL: CloseCode = CloseCode {
        code: 1000,
        name: "normal",
        meaning: "The client closed the socket.",
        client: "Nothing.",
    };
    /// The process is going away.
    pub static DRAINING: CloseCode = CloseCode {
        code: 1012,
        name: "draining",
        meaning: "The server is going away for a deploy or a restart.",
        client: "Reconnect after the time that server.draining named, then resume.",
    };
    /// A frame that is not one of ours.
    pub static BAD_FRAME: CloseCode = CloseCode {
        code: 4400,
        name: "bad_frame",
        meaning: "A frame was not JSON text, of an unknown type, or too large.",
        client: "Fix the client; do not reconnect in a loop.",
    };
    /// No token in time, a bad one, or an expired one.
    pub static NOT_SIGNED_IN: CloseCode = CloseCode {
        code: 4401,
        name: "not_signed_in",
        meaning: "No access token came in time, or it was not valid, or it has expired.",
        client: "Refresh the token, then reconnect and resume.",
    };
    /// The session was revoked, or the account deactivated.
    pub static REVOKED: CloseCode = CloseCode {
        code: 4403,
        name: "revoked",
        meaning: "The sign-in session was revoked or the account deactivated.",
        client: "Sign in again; do not reconnect with the old token.",
    };
    /// Too much sent, or too little read.
    pub static FLOODING: CloseCode = CloseCode {
        code: 4429,
        name: "flooding",
        meaning: "The client sent too much for too long, or read too slowly.",
        client: "Slow down; reconnect with back-off, then resume.",
    };

    /// Every close code, for the catalogue.
    pub static ALL: &[&CloseCode] = &[
        &NORMAL,
        &DRAINING,
        &BAD_FRAME,
        &NOT_SIGNED_IN,
        &REVOKED,
        &FLOODING,
    ];
}

/// Limits of a socket.
#[derive(Clone, Copy, Debug)]
pub struct SocketOptions {
    /// The largest message taken; a larger one ends the stream with [`Received::TooLarge`].
    pub message_bytes_max: usize,
    /// How long one write may take before the reader counts as too slow.
    pub write_timeout: Duration,
}

/// What came in on a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A text frame.
    Text(String),
    /// A binary frame; we speak text only.
    Binary,
    /// A message over the limit.
    TooLarge,
    /// An answer to one of our protocol-level pings. (Pings of the client are answered by the socket.)
    Pong,
    /// The client closed, or the connection broke. Nothing follows.
    Closed,
}

/// Writing failed: the connection is gone, or the reader too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The connection is gone.
    #[error("the socket is closed")]
    Closed,
    /// The write did not end in time.
    #[error("the reader is too slow")]
    TooSlow,
}

/// The gauge of open sockets; the server puts it into the extensions of a request that may upgrade.
#[derive(Clone)]
pub(crate) struct OpenSockets(pub(crate) IntGauge);

/// Counts a socket while it lives.
struct Counted(IntGauge);

impl Counted {
    fn new(gauge: IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// An open WebSocket.
///
/// Reading and writing both borrow it. A task that does both selects between [`Socket::receive`],
/// which is cancel-safe, and its own queue, and sends after the select.
pub struct Socket {
    stream: WebSocketStream<Stream>,
    write_timeout: Duration,
    _counted: Option<Counted>,
}

impl Socket {
    async fn open(
        upgraded: Upgraded,
        options: SocketOptions,
        open: Option<OpenSockets>,
    ) -> Option<Self> {
        // Without hyper's own layers beneath it, a socket is leaner by two boxes and a buffer.
        let parts = downcast::<TokioIo<Stream>>(upgraded).ok()?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_message_size(Some(options.message_bytes_max))
            .max_frame_size(Some(options.message_bytes_max));
        let (stream, read) = (parts.io.into_inner(), parts.read_buf.to_vec());
        let stream =
            WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await;
        let counted = open.map(|open| Counted::new(open.0));
        Some(Self {
            stream,
            write_timeout: options.write_timeout,
            _counted: counted,
        })
    }

    /// What comes in next. Cancel-safe.
    pub async fn receive(&mut self) -> Received {
        loop {
            return match self.stream.next().await {
                Some(Ok(Message::Text(text))) => Received::Text(text.as_str().to_owned()),
                Some(Ok(Message::Binary(_))) => Received::Binary,
                Some(Ok(Message::Pong(_))) => Received::Pong,
                // The answer is queued, and written by the next turn of the loop.
                Some(Ok(Message::Ping(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_))) => self.say_goodbye().await,
                Some(Err(Error::Capacity(_))) => Received::TooLarge,
                // A text that is not UTF-8 is no text.
                Some(Err(Error::Utf8(_))) => Received::Binary,
                Some(Err(_)) | None => Received::Closed,
            };
        }
    }

    /// Writes the answer to the client's good-bye, which the library has queued.
    async fn say_goodbye(&mut self) -> Received {
        let _ = timeout(self.write_timeout, self.stream.flush()).await;
        Received::Closed
    }

    /// Sends a text frame.
    ///
    /// # Errors
    /// When the connection is gone or the reader too slow. Nothing can be sent after that.
    pub async fn send(&mut self, text: Bytes) -> Result<(), SendError> {
        self.send_all(vec![text]).await
    }

    /// Sends several text frames with one flush.
    ///
    /// # Errors
    /// When the connection is gone or the reader too slow. Nothing can be sent after that.
    pub async fn send_all(&mut self, texts: Vec<Bytes>) -> Result<(), SendError> {
        let stream = &mut self.stream;
        bounded(self.write_timeout, async move {
            for text in texts {
                let text = Utf8Bytes::try_from(text).map_err(|_| Error::AlreadyClosed)?;
                stream.feed(Message::Text(text)).await?;
            }
            stream.flush().await
        })
        .await
    }

    /// Sends a protocol-level ping.
    ///
    /// # Errors
    /// When the connection is gone or the reader too slow.
    pub async fn ping(&mut self) -> Result<(), SendError> {
        bounded(
            self.write_timeout,
            self.stream.send(Message::Ping(Bytes::new())),
        )
        .await
    }

    /// Closes with a code and waits briefly for the other side to do the same.
    pub async fn close(mut self, why: &CloseCode) {
        let farewell = CloseFrame {
            code: why.code.into(),
            reason: Utf8Bytes::from_static(why.name),
        };
        let write = self.stream.send(Message::Close(Some(farewell)));
        if bounded(self.write_timeout, write).await.is_err() {
            return;
        }
        let _ = timeout(GOODBYE_MAX, async {
            while let Some(Ok(_)) = self.stream.next().await {}
        })
        .await;
        // Closing lingers (see `wire`), so that the code arrives even when the client is in the middle
        // of a message that we would not read.
        let _ = self.stream.get_mut().shutdown().await;
    }
}

async fn bounded(
    limit: Duration,
    write: impl Future<Output = Result<(), Error>>,
) -> Result<(), SendError> {
    match timeout(limit, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(SendError::Closed),
        Err(_) => Err(SendError::TooSlow),
    }
}

/// Answers a WebSocket handshake with 101 and runs `on_socket` as a tracked task once it is open.
///
/// # Errors
/// `upgrade_required` when the request is not a handshake, `bad_handshake` when it is one that we
/// cannot answer.
pub fn upgrade<F, Fut>(
    mut req: Request,
    lifecycle: &Lifecycle,
    options: SocketOptions,
    on_socket: F,
) -> Reply
where
    F: FnOnce(Socket) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let open = req.head.extensions.remove::<OpenSockets>();
    let on_upgrade = req.head.extensions.remove::<OnUpgrade>();
    // HTTP/2 has WebSockets of its own, which we do not speak; there is nothing to upgrade there.
    let (true, Some(on_upgrade)) = (handshake::is_asked_for(&req), on_upgrade) else {
        return Ok(handshake::required());
    };
    let answer = handshake::answer(&req)?;
    lifecycle.spawn("socket", async move {
        match timeout(HANDSHAKE_MAX, on_upgrade).await {
            Ok(Ok(upgraded)) => match Socket::open(upgraded, options, open).await {
                Some(socket) => on_socket(socket).await,
                None => error!("a connection was not upgraded by this server"),
            },
            Ok(Err(error)) => debug!(%error, "a connection ended before it became a socket"),
            Err(_) => debug!("a connection did not become a socket in time"),
        }
    });
    Ok(answer)
}
