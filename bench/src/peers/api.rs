//! The published API's WebSocket, which the baseline speaks as well.

use std::net::SocketAddr;

use anyhow::{Error, ensure};

use super::line::Person;
use crate::token::Mint;
use crate::ws_client::{Opening, WsClient};

/// Opens a signed-in socket and waits for its `hello`.
pub(super) async fn open(
    address: SocketAddr,
    mint: &Mint,
    person: Person,
) -> Result<WsClient, Error> {
    let token = mint.token(person.id, person.role);
    let opening = Opening {
        path: "/api/ws",
        subprotocol: Some("halobestie.v1"),
        token: Some(&token),
    };
    let mut socket = WsClient::open(address, opening).await?;
    let hello = socket.next().await?;
    ensure!(is(&hello, "hello"), "expected hello, found {hello}");
    Ok(socket)
}

/// Whether a frame is of this type. Servers of this API write the type first.
pub(crate) fn is(frame: &str, kind: &str) -> bool {
    let rest = frame.strip_prefix(r#"{"type":""#);
    let rest = rest.and_then(|rest| rest.strip_prefix(kind));
    rest.is_some_and(|rest| rest.starts_with('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_known_by_its_type() {
        assert!(is(r#"{"type":"ack","id":1}"#, "ack"));
        assert!(!is(r#"{"type":"acknowledged"}"#, "ack"));
        assert!(!is(r#"{"id":1,"type":"ack"}"#, "ack"));
    }
}
