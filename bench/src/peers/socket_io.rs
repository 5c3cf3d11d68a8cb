//! Socket.IO's protocol over a WebSocket, as much as `bench/peers/socketio` needs: Engine.IO packets are
//! a digit and a payload, Socket.IO's begin with a second digit.

use std::net::SocketAddr;

use anyhow::{Error, ensure};
use uuid::Uuid;

use super::line::Person;
use crate::texts;
use crate::ws_client::{Opening, WsClient};

const PATH: &str = "/socket.io/?EIO=4&transport=websocket";

/// Opens a socket and joins the person's session.
pub(super) async fn open(address: SocketAddr, person: Person) -> Result<WsClient, Error> {
    let opening = Opening {
        path: PATH,
        ..Opening::default()
    };
    let mut socket = WsClient::open(address, opening).await?;
    let opened = socket.next().await?;
    ensure!(
        opened.starts_with('0'),
        "expected an opening, found {opened}"
    );
    // Who it is goes with the connect packet, as a client's `auth` does.
    let room = person.session_id.unwrap_or(person.id);
    socket.send(format!(r#"40{{"room":"{room}"}}"#)).await?;
    let connected = socket.next().await?;
    ensure!(
        connected.starts_with("40"),
        "expected 40, found {connected}"
    );
    Ok(socket)
}

/// An event to everybody in the session.
pub(super) fn publish(session_id: Uuid, number: u64) -> String {
    let body = texts::body(number);
    format!(r#"42["send",{{"session_id":"{session_id}","body":"{body}"}}]"#)
}

/// The answer to a ping.
pub(super) fn pong(frame: &str) -> Option<&'static str> {
    (frame == "2").then_some("3")
}
