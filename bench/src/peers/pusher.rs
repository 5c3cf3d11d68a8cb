//! Pusher's protocol, as Sockudo speaks it: a private channel a session, published on by client events.
//! The application and its key are those that `scripts/bench` starts it with.

use std::net::SocketAddr;

use anyhow::{Context as _, Error, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use super::line::Person;
use crate::texts;
use crate::token::Mint;
use crate::ws_client::{Opening, WsClient};

const KEY: &str = "bench-key";
const SECRET: &str = "bench-secret";
const PATH: &str = "/app/bench-key?protocol=7&client=bench&version=1";

/// Opens a socket and subscribes to the person's session.
pub(super) async fn open(address: SocketAddr, person: Person) -> Result<WsClient, Error> {
    let opening = Opening {
        path: PATH,
        ..Opening::default()
    };
    let mut socket = WsClient::open(address, opening).await?;
    let greeting = socket.next().await?;
    let socket_id = socket_id(&greeting).with_context(|| format!("no socket id in {greeting}"))?;
    let channel = channel(person.session_id.unwrap_or(person.id));
    let auth = Mint::new(SECRET).hex(&format!("{socket_id}:{channel}"));
    let data = json!({"channel": channel, "auth": format!("{KEY}:{auth}")});
    let subscribe = json!({"event": "pusher:subscribe", "data": data});
    socket.send(subscribe.to_string()).await?;
    let subscribed = socket.next().await?;
    ensure!(
        subscribed.contains("subscription_succeeded"),
        "expected a subscription, found {subscribed}"
    );
    Ok(socket)
}

/// An event to everybody else in the session.
pub(super) fn publish(session_id: Uuid, number: u64) -> String {
    let (channel, body) = (channel(session_id), texts::body(number));
    format!(r#"{{"event":"client-message","channel":"{channel}","data":{{"body":"{body}"}}}}"#)
}

/// The answer to a ping.
pub(super) fn pong(frame: &str) -> Option<&'static str> {
    let is_ping = frame.contains(r#""pusher:ping""#);
    is_ping.then_some(r#"{"event":"pusher:pong","data":{}}"#)
}

fn channel(id: Uuid) -> String {
    format!("private-{id}")
}

/// The data of the greeting is JSON in a string.
fn socket_id(greeting: &str) -> Option<String> {
    let greeting: Value = serde_json::from_str(greeting).ok()?;
    let data: Value = match &greeting["data"] {
        Value::String(text) => serde_json::from_str(text).ok()?,
        data => data.clone(),
    };
    data["socket_id"].as_str().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_id_is_found_in_either_form() {
        let text = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#;
        assert_eq!(socket_id(text).as_deref(), Some("1.2"));
        assert_eq!(
            socket_id(r#"{"data":{"socket_id":"3.4"}}"#).as_deref(),
            Some("3.4")
        );
        assert_eq!(socket_id("{}"), None);
    }
}
