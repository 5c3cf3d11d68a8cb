//! Somebody who is signed in: their server, their tokens, their socket.

use anyhow::Result;
use serde_json::{Value, json};

use super::client::{Answer, Call, Server};
use super::fields::{is, says, text};
use super::socket::{SignIn, Socket};
use super::trouble::{SERVER_AT_FAULT, wrong};

/// A customer or a mitra.
pub(crate) struct Person {
    /// Their id.
    pub(crate) id: String,
    /// What they are, as the server names it.
    pub(crate) role: &'static str,
    server: Server,
    access_token: String,
    refresh_token: String,
    socket: Option<Socket>,
}

impl Person {
    /// Whoever these tokens belong to.
    pub(crate) fn signed_in(server: &Server, role: &'static str, tokens: &Value) -> Result<Self> {
        Ok(Self {
            id: text(tokens, "/user/id")?.to_owned(),
            role,
            server: server.clone(),
            access_token: text(tokens, "/access_token")?.to_owned(),
            refresh_token: text(tokens, "/refresh_token")?.to_owned(),
            socket: None,
        })
    }

    /// Trades the refresh token for new tokens, and keeps those.
    pub(crate) async fn refresh(&mut self) -> Result<()> {
        let body = json!({"refresh_token": self.refresh_token});
        let call = Call::post("/api/auth/refresh").body(body);
        let renewed = self.server.send(call, None).await?.expect(200)?;
        let renewed = Self::signed_in(&self.server, self.role, &renewed)?;
        if renewed.refresh_token == self.refresh_token {
            return Err(wrong(
                "a new refresh token",
                "the old one again",
                SERVER_AT_FAULT,
            ));
        }
        (self.access_token, self.refresh_token) = (renewed.access_token, renewed.refresh_token);
        Ok(())
    }

    /// Sends a request in their name.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer> {
        self.server.send(call, Some(&self.access_token)).await
    }

    /// Reads something that must be there.
    pub(crate) async fn get(&self, path: impl Into<String>) -> Result<Value> {
        self.send(Call::get(path)).await?.expect(200)
    }

    /// Does something without a body that must be answered with `status`.
    pub(crate) async fn post(&self, path: impl Into<String>, status: u16) -> Result<Value> {
        self.send(Call::post(path)).await?.expect(status)
    }

    /// Opens their socket and waits for the server's greeting.
    pub(crate) async fn connect(&mut self, sign_in: SignIn) -> Result<()> {
        let mut socket = Socket::open(self.server.address(), sign_in, &self.access_token).await?;
        let hello = socket
            .wait_for("hello", |frame| says(frame, "/type", "hello"))
            .await?;
        is(&hello, "/user/id", self.id.as_str())?;
        text(&hello, "/connection_id")?;
        self.socket = Some(socket);
        Ok(())
    }

    /// Their open socket.
    pub(crate) fn socket(&mut self) -> Result<&mut Socket> {
        self.socket
            .as_mut()
            .ok_or_else(|| wrong("an open socket", "none", SERVER_AT_FAULT))
    }

    /// Their socket, for good: dropped, it is a connection that is cut without a good-bye.
    pub(crate) fn take_socket(&mut self) -> Option<Socket> {
        self.socket.take()
    }

    /// Their access token.
    pub(crate) fn access_token(&self) -> &str {
        &self.access_token
    }
}
