//! The WebSocket of one test: JSON in and out, with deadlines.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, Request};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::call::TestResponse;
use crate::eventually::PATIENCE;

/// The path and the subprotocol of the one socket that the contract knows.
const PATH: &str = "/api/ws";
const SUBPROTOCOL: &str = "halobestie.v1";

/// An open WebSocket. Dropping it breaks the connection without a good-bye, as a lost network does.
pub struct TestSocket {
    stream: WebSocketStream<TcpStream>,
    /// What the server answered to the handshake.
    pub handshake: HeaderMap,
}

impl TestSocket {
    /// Opens a socket on any server, signed in by the header where there is a token.
    ///
    /// # Errors
    /// The HTTP answer instead of the upgrade.
    pub async fn open(
        address: SocketAddr,
        access_token: Option<&str>,
    ) -> Result<Self, TestResponse> {
        let bearer = access_token.map(|token| format!("Bearer {token}"));
        let headers = bearer.iter().map(|it| ("authorization", it.as_str()));
        Self::open_with(address, &headers.collect::<Vec<_>>()).await
    }

    /// Opens a socket with these headers, as a browser would with its own.
    ///
    /// # Errors
    /// The HTTP answer instead of the upgrade.
    pub async fn open_with(
        address: SocketAddr,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, TestResponse> {
        let tcp = TcpStream::connect(address)
            .await
            .expect("the public listener takes connections");
        tcp.set_nodelay(true)
            .expect("a fresh connection takes options");
        let handshake = tokio_tungstenite::client_async(request(address, headers), tcp);
        match timeout(PATIENCE, handshake)
            .await
            .expect("the handshake is answered")
        {
            Ok((stream, response)) => Ok(Self {
                stream,
                handshake: response.into_parts().0.headers,
            }),
            Err(Error::Http(response)) => {
                let (head, body) = (*response).into_parts();
                let body = Bytes::from(body.unwrap_or_default());
                let call = format!("GET {PATH}");
                Err(TestResponse {
                    call,
                    status: head.status,
                    headers: head.headers,
                    body,
                })
            }
            Err(error) => panic!("the handshake broke: {error}"),
        }
    }

    /// Sends a JSON frame.
    pub async fn send(&mut self, frame: &Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    /// Sends any frame: text that is no JSON, binary, a protocol-level ping.
    pub async fn send_raw(&mut self, message: Message) {
        self.try_send(message).await.expect("the socket is open");
    }

    /// Sends any frame, for a test in which the server may have closed already.
    ///
    /// # Errors
    /// Why it could not be sent.
    pub async fn try_send(&mut self, message: Message) -> Result<(), Error> {
        timeout(PATIENCE, self.stream.send(message))
            .await
            .expect("the server reads")
    }

    /// The next frame; panics when none comes or the socket ends.
    pub async fn next(&mut self) -> Value {
        let frame = self.next_json(PATIENCE).await;
        frame.unwrap_or_else(|| panic!("no frame within {PATIENCE:?}"))
    }

    /// The next frame, `None` when the deadline passes; panics when the socket ends.
    pub async fn next_json(&mut self, deadline: Duration) -> Option<Value> {
        match timeout(deadline, self.receive()).await {
            Err(_) => None,
            Ok(Frame::Json(frame)) => Some(frame),
            Ok(Frame::Closed(close)) => {
                panic!("the socket ended while a frame was awaited: {close:?}")
            }
        }
    }

    /// The next frame of this `type`; frames of other types are skipped.
    pub async fn expect(&mut self, kind: &str) -> Value {
        self.expect_where(kind, |_| true).await
    }

    /// The next frame of this `type` that fits; all others are skipped.
    pub async fn expect_where(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut skipped = Vec::new();
        let search = async {
            loop {
                match self.receive().await {
                    Frame::Json(frame) if frame["type"] == kind && fits(&frame) => return frame,
                    Frame::Json(frame) => skipped.push(frame),
                    Frame::Closed(close) => {
                        panic!("the socket ended while {kind} was awaited: {close:?}")
                    }
                }
            }
        };
        match timeout(PATIENCE, search).await {
            Ok(frame) => frame,
            Err(_) => panic!("no {kind} within {PATIENCE:?}; there came {skipped:?}"),
        }
    }

    /// Everything that the server had sent when it answered a ping: what to look into when something
    /// must *not* have come.
    pub async fn so_far(&mut self) -> Vec<Value> {
        let id = "so-far";
        self.send(&json!({"type": "ping", "id": id})).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["type"] == "pong" && frame["id"] == id {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// Reads on until the server closes; its close code, 1006 where the connection just broke.
    pub async fn close_code(&mut self) -> u16 {
        self.ending().await.1
    }

    /// Reads on until the server closes; the frames before that, and the close code.
    pub async fn ending(&mut self) -> (Vec<Value>, u16) {
        let mut frames = Vec::new();
        let search = async {
            loop {
                match self.receive().await {
                    Frame::Json(frame) => frames.push(frame),
                    Frame::Closed(close) => return close.map_or(1006, |frame| frame.code.into()),
                }
            }
        };
        let code = timeout(PATIENCE, search)
            .await
            .expect("the server closes the socket");
        (frames, code)
    }

    /// Closes in good manners and waits for the server to do the same.
    pub async fn close(mut self) {
        // The server may have been first.
        let _ = self.stream.close(None).await;
        self.close_code().await;
    }

    async fn receive(&mut self) -> Frame {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text);
                    return Frame::Json(frame.expect("the server sends JSON"));
                }
                Some(Ok(Message::Close(close))) => return Frame::Closed(close),
                Some(Ok(Message::Binary(_))) => panic!("the server sends text only"),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Frame::Closed(None),
            }
        }
    }
}

enum Frame {
    Json(Value),
    Closed(Option<CloseFrame>),
}

fn request(address: SocketAddr, more: &[(&'static str, &str)]) -> Request<()> {
    let url = format!("ws://{address}{PATH}");
    let mut request = url.into_client_request().expect("the address makes a URL");
    let headers = request.headers_mut();
    headers.insert(
        "sec-websocket-protocol",
        HeaderValue::from_static(SUBPROTOCOL),
    );
    for (name, value) in more {
        let value = HeaderValue::from_str(value);
        headers.insert(*name, value.expect("it fits into a header"));
    }
    request
}
