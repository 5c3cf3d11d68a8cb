//! A WebSocket client that waits for particular events and keeps the others for later.
//!
//! Nothing reads in the background: a frame is read when somebody waits. What was not asked for stays
//! in a bounded backlog, so that events may come in any order around what is waited for.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use halobestie_core::http::ws::SUBPROTOCOL;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::PATIENCE;
use super::address::Address;
use super::client::unreachable;
use super::fields::says;
use super::trouble::{SERVER_AT_FAULT, wrong};

/// Where sockets are opened.
const PATH: &str = "/api/ws";
/// The oldest frame is forgotten beyond this many.
const BACKLOG_FRAMES_MAX: usize = 512;
/// What to do about an event that never came.
const EVENT_LOST: &str = "look into the server's log at this moment; where there are two servers, \
    see whether both use the same Postgres and the same Valkey";

/// How a socket says who it belongs to.
pub(crate) enum SignIn {
    /// In the handshake, as apps do.
    Header,
    /// In the first frame, as browsers must.
    FirstFrame,
}

/// An open socket.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    backlog: VecDeque<Value>,
    heard: Vec<(String, i64)>,
}

/// What a socket brings.
enum Incoming {
    Frame(Value),
    Closed { code: Option<u16>, why: String },
}

impl Socket {
    /// Opens a socket and signs it in.
    pub(crate) async fn open(address: &Address, sign_in: SignIn, token: &str) -> Result<Self> {
        let mut request = ClientRequestBuilder::new(address.web_socket(PATH)?);
        request = request.with_sub_protocol(SUBPROTOCOL);
        if let SignIn::Header = sign_in {
            request = request.with_header("Authorization", format!("Bearer {token}"));
        }
        let opened = timeout(PATIENCE, handshake(address, request)).await;
        let stream = opened.map_err(|_| {
            let came = "silence";
            wrong(
                format!("a WebSocket at {address}{PATH}"),
                came,
                "see whether the server is stuck",
            )
        })??;
        let mut socket = Self {
            stream,
            backlog: VecDeque::new(),
            heard: Vec::new(),
        };
        if let SignIn::FirstFrame = sign_in {
            socket
                .send(json!({"type": "auth", "access_token": token}))
                .await?;
        }
        Ok(socket)
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, frame: Value) -> Result<()> {
        let sent = timeout(PATIENCE, self.stream.send(Message::text(frame.to_string()))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(closed(&format!("a broken connection ({error})"))),
            Err(_) => Err(closed("a server that does not read")),
        }
    }

    /// Waits for the first frame that is `wanted`, among those that came before too.
    pub(crate) async fn wait_for(
        &mut self,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        match self.wait_within(PATIENCE, wanted).await? {
            Some(frame) => Ok(frame),
            None => Err(wrong(
                format!("{what} on the socket within {} s", PATIENCE.as_secs()),
                self.backlog_summary(),
                EVENT_LOST,
            )),
        }
    }

    /// As [`Socket::wait_for`], but a frame that does not come in time is no error.
    pub(crate) async fn wait_within(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Option<Value>> {
        if let Some(place) = self.backlog.iter().position(&wanted) {
            return Ok(self.backlog.remove(place));
        }
        let deadline = Instant::now() + patience;
        while let Ok(incoming) = timeout_at(deadline, self.read()).await {
            match incoming? {
                Incoming::Frame(frame) if wanted(&frame) => return Ok(Some(frame)),
                Incoming::Frame(frame) => self.keep(frame),
                Incoming::Closed { why, .. } => return Err(closed(&why)),
            }
        }
        Ok(None)
    }

    /// Keeps the socket alive for a while: reads what comes, so that pings are answered.
    pub(crate) async fn listen(&mut self, duration: Duration) -> Result<()> {
        self.wait_within(duration, |_| false).await.map(drop)
    }

    /// Waits until the server closes the socket with this code.
    pub(crate) async fn wait_closed(&mut self, expected: u16) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let promise = format!("the socket to be closed with {expected}");
        while let Ok(incoming) = timeout_at(deadline, self.read()).await {
            match incoming? {
                Incoming::Frame(frame) => self.keep(frame),
                Incoming::Closed {
                    code: Some(code), ..
                } if code == expected => return Ok(()),
                Incoming::Closed { why, .. } => return Err(wrong(promise, why, SERVER_AT_FAULT)),
            }
        }
        Err(wrong(promise, "an open socket", SERVER_AT_FAULT))
    }

    /// Says good-bye; what the server makes of it no longer matters.
    pub(crate) async fn close(mut self) {
        let _ = timeout(PATIENCE, self.stream.close(None)).await;
    }

    /// The `seq` of each `message.new` of a session, in the order they first came.
    pub(crate) fn heard(&self, session_id: &str) -> Vec<i64> {
        let of_session = self
            .heard
            .iter()
            .filter(|(session, _)| session == session_id);
        of_session.map(|(_, seq)| *seq).collect()
    }

    async fn read(&mut self) -> Result<Incoming> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return self.take(&text).map(Incoming::Frame),
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.as_ref().map(|frame| u16::from(frame.code));
                    let why = frame.map_or("no code".into(), |frame| frame.to_string());
                    return Ok(Incoming::Closed {
                        code,
                        why: format!("a close with {why}"),
                    });
                }
                Some(Ok(Message::Binary(_))) => {
                    return Err(wrong("text frames alone", "a binary one", SERVER_AT_FAULT));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let why = format!("a broken connection ({error})");
                    return Ok(Incoming::Closed { code: None, why });
                }
                None => {
                    return Ok(Incoming::Closed {
                        code: None,
                        why: "the end of the stream".into(),
                    });
                }
            }
        }
    }

    fn take(&mut self, text: &str) -> Result<Value> {
        let frame: Value = serde_json::from_str(text).context("the server sent invalid JSON")?;
        if says(&frame, "/type", "message.new") {
            let (session, seq) = (&frame["message"]["session_id"], &frame["message"]["seq"]);
            let heard = (
                session.as_str().unwrap_or_default().to_owned(),
                seq.as_i64().unwrap_or(0),
            );
            // "At least once" allows repetitions; the order is that of the first time.
            if !self.heard.contains(&heard) {
                self.heard.push(heard);
            }
        }
        Ok(frame)
    }

    fn keep(&mut self, frame: Value) {
        if self.backlog.len() == BACKLOG_FRAMES_MAX {
            self.backlog.pop_front();
        }
        self.backlog.push_back(frame);
    }

    fn backlog_summary(&self) -> String {
        let types: Vec<_> = self
            .backlog
            .iter()
            .filter_map(|frame| frame["type"].as_str())
            .collect();
        match types.as_slice() {
            [] => "nothing at all".to_owned(),
            types => format!("only {}", types.join(", ")),
        }
    }
}

async fn handshake(
    address: &Address,
    request: ClientRequestBuilder,
) -> Result<WebSocketStream<TcpStream>> {
    let tcp = TcpStream::connect(address.host_and_port()).await;
    let tcp = tcp.map_err(|error| unreachable(address, error.into()))?;
    tcp.set_nodelay(true)?;
    // The handshake fails on its own when the server does not choose our subprotocol.
    let (stream, _) = client_async(request, tcp).await.map_err(|error| {
        let expected = format!("a WebSocket at {address}{PATH} speaking {SUBPROTOCOL}");
        wrong(expected, error.to_string(), SERVER_AT_FAULT)
    })?;
    Ok(stream)
}

fn closed(why: &str) -> anyhow::Error {
    wrong(
        "an open socket",
        why,
        "docs/errors.md explains the close codes; see the server's log",
    )
}
