//! An open socket: text both ways, with limits and deadlines.
//!
//! One that is idle should cost little: it sits directly on the TCP stream, with small buffers. Pings
//! of the client and its good-bye are answered here; everything else is the caller's.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use prometheus::IntGauge;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::CloseCode;
use crate::http::connection::Stream;

/// Held by every socket, so small; a larger message gets a buffer of its size while it lasts.
const READ_BUFFER_BYTES: usize = 1024;
/// Frames gather up to this size between flushes.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;
/// How long we wait for the client to answer our good-bye.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

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
    /// Makes a socket of an upgraded connection of our own server; `None` of any other.
    pub(super) async fn open(
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
