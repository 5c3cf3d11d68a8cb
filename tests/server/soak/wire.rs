//! A person's connections: a socket that may break at any moment, and a call that may get no answer.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use halobestie_testkit::tungstenite::Message;
use halobestie_testkit::tungstenite::client::IntoClientRequest;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

/// A call or a handshake that takes longer has no answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket. Dropping it breaks the connection without a good-bye.
pub(super) struct Wire(WebSocketStream<TcpStream>);

impl Wire {
    /// Opens one; `None` where nobody listens.
    pub(super) async fn open(address: SocketAddr, access_token: &str) -> Option<Self> {
        let url = format!("ws://{address}/api/ws");
        let mut request = url.into_client_request().ok()?;
        let token = format!("Bearer {access_token}").parse().ok()?;
        request.headers_mut().insert("authorization", token);
        let stream = TcpStream::connect(address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let opened = timeout(PATIENCE, client_async(request, stream)).await;
        Some(Self(opened.ok()?.ok()?.0))
    }

    /// Sends a frame; false when the connection is gone.
    pub(super) async fn send(&mut self, frame: &Value) -> bool {
        self.0.send(Message::text(frame.to_string())).await.is_ok()
    }

    /// The next frame; `None` when the connection is gone. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await? {
                Ok(Message::Text(text)) => {
                    return Some(serde_json::from_str(&text).expect("the server sends JSON"));
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}

/// Sends a message over HTTP; its status and body, `None` where there is no whole answer.
pub(super) async fn post(
    address: SocketAddr,
    access_token: &str,
    session_id: Uuid,
    message: &Value,
) -> Option<(u16, Value)> {
    let exchange = async {
        let body = message.to_string();
        let request = format!(
            "POST /api/chat/sessions/{session_id}/messages HTTP/1.1\r\nHost: soak\r\n\
             Authorization: Bearer {access_token}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body).ok()?))
    };
    timeout(PATIENCE, exchange).await.ok().flatten()
}
