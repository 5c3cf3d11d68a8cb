//! The DevTools protocol of one page: a command and its answer at a time.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// How long a command may take: a browser that starts on a busy machine is slow.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a page.
pub(super) struct Wire {
    stream: WebSocketStream<TcpStream>,
    next_id: u64,
    /// What has happened and was not looked at yet.
    events: Vec<Value>,
}

impl Wire {
    pub(super) async fn open(address: SocketAddr, path: &str) -> Self {
        let tcp = TcpStream::connect(address)
            .await
            .expect("the browser takes connections");
        let handshake = tokio_tungstenite::client_async(format!("ws://{address}{path}"), tcp);
        let (stream, _) = handshake.await.expect("the browser speaks DevTools");
        Self {
            stream,
            next_id: 1,
            events: Vec::new(),
        }
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// What the browser says against it.
    pub(super) async fn ask(&mut self, method: &str, params: Value) -> Result<Value, String> {
        let id = self.next_id;
        self.next_id += 1;
        let command = json!({"id": id, "method": method, "params": params}).to_string();
        let sent = self.stream.send(Message::text(command)).await;
        sent.map_err(|error| format!("the browser is gone: {error}"))?;
        let answer = timeout(PATIENCE, self.answer(id)).await;
        let mut answer = answer.map_err(|_| format!("not within {PATIENCE:?}"))??;
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer["result"].take()),
        }
    }

    /// The events so far, each once.
    pub(super) fn take_events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }

    async fn answer(&mut self, id: u64) -> Result<Value, String> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let said: Value = serde_json::from_str(&text).map_err(|it| it.to_string())?;
                    if said["id"] == id {
                        return Ok(said);
                    }
                    self.events.push(said);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(format!("the browser is gone: {error}")),
                None => return Err("the browser is gone".into()),
            }
        }
    }
}
