//! A WebSocket of the generator's: text both ways, pings answered, small buffers, because there may be
//! ten thousand of them.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Error, bail};
use futures_util::{SinkExt, StreamExt};
use http::HeaderName;
use http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// A handshake that takes longer has failed.
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);
const BUFFER_BYTES: usize = 4 * 1024;

/// An open socket.
pub(crate) struct WsClient(WebSocketStream<TcpStream>);

/// How a socket is opened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opening<'a> {
    pub(crate) path: &'a str,
    pub(crate) subprotocol: Option<&'static str>,
    pub(crate) token: Option<&'a str>,
}

impl WsClient {
    /// Opens one.
    pub(crate) async fn open(address: SocketAddr, opening: Opening<'_>) -> Result<Self, Error> {
        timeout(HANDSHAKE_MAX, Self::try_open(address, opening))
            .await
            .context("the handshake takes too long")?
    }

    async fn try_open(address: SocketAddr, opening: Opening<'_>) -> Result<Self, Error> {
        let mut request = format!("ws://{address}{}", opening.path).into_client_request()?;
        let mut put = |name: HeaderName, value: &str| {
            let value = HeaderValue::from_str(value)?;
            request.headers_mut().insert(name, value);
            anyhow::Ok(())
        };
        if let Some(token) = opening.token {
            put(AUTHORIZATION, &format!("Bearer {token}"))?;
        }
        if let Some(subprotocol) = opening.subprotocol {
            put(SEC_WEBSOCKET_PROTOCOL, subprotocol)?;
        }
        let stream = TcpStream::connect(address).await.context("connecting")?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0);
        let (socket, _) = client_async_with_config(request, stream, Some(config))
            .await
            .context("the handshake")?;
        Ok(Self(socket))
    }

    /// Sends a text.
    pub(crate) async fn send(&mut self, text: String) -> Result<(), Error> {
        Ok(self.0.send(Message::text(text)).await?)
    }

    /// The next text. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Utf8Bytes, Error> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(why))) => bail!("closed: {why:?}"),
                // A ping: the library has queued the answer, and writes it with the next read.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => bail!("closed without a word"),
            }
        }
    }

    /// Breaks the connection without a good-bye, as a network does.
    pub(crate) fn break_off(self) {
        // A reset leaves no port waiting behind; an error means that it is gone already.
        let _ = self.0.get_ref().set_zero_linger();
    }
}
