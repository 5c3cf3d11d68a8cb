//! A chat line: a person's open socket at whichever server, to publish on and to receive from.

use std::net::SocketAddr;

use anyhow::{Error, bail};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::{api, pusher, socket_io};
use crate::fixture::Session;
use crate::side::Speaks;
use crate::token::{Mint, Role};
use crate::ws_client::WsClient;

/// Whose line it is, in which session.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) role: Role,
    /// The session that they talk in; somebody who is only there has none.
    pub(crate) session_id: Option<Uuid>,
}

impl Person {
    /// The customer of a session.
    pub(crate) fn customer_of(session: &Session) -> Self {
        Self {
            id: session.customer_id,
            role: Role::Customer,
            session_id: Some(session.id),
        }
    }

    /// The mitra of a session.
    pub(crate) fn mitra_of(session: &Session) -> Self {
        Self {
            id: session.mitra_id,
            role: Role::Mitra,
            session_id: Some(session.id),
        }
    }
}

/// A line, by the protocol of its server.
pub(crate) struct Line {
    speaks: Speaks,
    person: Person,
    run: u64,
    socket: WsClient,
}

impl Line {
    /// Opens a line and waits until the server would deliver to it.
    pub(crate) async fn open(
        speaks: Speaks,
        address: SocketAddr,
        mint: &Mint,
        person: Person,
        run: u64,
    ) -> Result<Self, Error> {
        let socket = match speaks {
            Speaks::Api => api::open(address, mint, person).await?,
            Speaks::SocketIo => socket_io::open(address, person).await?,
            Speaks::Pusher => pusher::open(address, person).await?,
            Speaks::Pgbench | Speaks::RedisBenchmark => bail!("there are no sockets to open"),
        };
        Ok(Self {
            speaks,
            person,
            run,
            socket,
        })
    }

    /// Publishes a message in the person's session.
    pub(crate) async fn publish(&mut self, number: u64) -> Result<(), Error> {
        let Some(session_id) = self.person.session_id else {
            bail!("nobody to talk to");
        };
        let text = match self.speaks {
            Speaks::SocketIo => socket_io::publish(session_id, number),
            Speaks::Pusher => pusher::publish(session_id, number),
            _ => crate::texts::frame(session_id, self.run, number),
        };
        self.socket.send(text).await
    }

    /// Sends a frame of the API's.
    pub(crate) async fn say(&mut self, frame: String) -> Result<(), Error> {
        self.socket.send(frame).await
    }

    /// The next frame that is not about the line itself. Cancel-safe: what is said in between is short,
    /// and saying it again does no harm.
    pub(crate) async fn next(&mut self) -> Result<Utf8Bytes, Error> {
        loop {
            let frame = self.socket.next().await?;
            let answer = match self.speaks {
                Speaks::SocketIo => socket_io::pong(&frame),
                Speaks::Pusher => pusher::pong(&frame),
                _ => None,
            };
            match answer {
                Some(answer) => self.socket.send(answer.to_owned()).await?,
                None => return Ok(frame),
            }
        }
    }

    /// Breaks the connection as a network does.
    pub(crate) fn break_off(self) {
        self.socket.break_off();
    }
}
