//! Signing in on a socket: by what the handshake shows, or by a first frame in time.

use std::time::Duration;

use halobestie_core::http::ws::{Received, Socket, close};
use halobestie_core::ports::{Principal, Role, TokenRejected};
use tokio::time::timeout;

use super::connection::Ending;
use super::frames::{ClientFrame, decode};
use super::visiting::Shown;
use crate::state::State;

/// How long a socket may stay silent before it has signed in.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(5);

/// Waits for whom the socket belongs to. A bad token in the header closes the socket just as one in a
/// frame does, so that a client has one place to look.
pub(crate) async fn sign_in(
    state: &State,
    socket: &mut Socket,
    shown: Shown,
) -> Result<Principal, Ending> {
    match shown {
        Shown::Token(token) => admit(state, &token),
        Shown::Cookie(principal) if principal.role != Role::Admin => Ok(principal),
        Shown::Cookie(_) | Shown::Refused => Err(Ending::Close(&close::NOT_SIGNED_IN)),
        Shown::Nothing => {
            let first = tokio::select! {
                () = state.lifecycle.soft().cancelled() => return Err(Ending::Close(&close::DRAINING)),
                first = timeout(SIGN_IN_TIMEOUT, first_frame(socket)) => first,
            };
            let token = first.map_err(|_| Ending::Close(&close::NOT_SIGNED_IN))??;
            admit(state, &token)
        }
    }
}

async fn first_frame(socket: &mut Socket) -> Result<String, Ending> {
    loop {
        let text = match socket.receive().await {
            Received::Text(text) => text,
            Received::Pong => continue,
            Received::Binary | Received::TooLarge => return Err(Ending::Close(&close::BAD_FRAME)),
            Received::Closed => return Err(Ending::Close(&close::NORMAL)),
        };
        let decoded = decode(&text).map_err(|_| Ending::Close(&close::BAD_FRAME))?;
        return match decoded.frame {
            Ok(ClientFrame::Auth(auth)) => Ok(auth.access_token),
            _ => Err(Ending::Close(&close::NOT_SIGNED_IN)),
        };
    }
}

/// Checks a token: the sockets are for the two sides of a chat.
pub(crate) fn admit(state: &State, access_token: &str) -> Result<Principal, Ending> {
    match state.authenticator.authenticate(access_token) {
        Ok(principal) if principal.role != Role::Admin => Ok(principal),
        Ok(_) | Err(TokenRejected::Invalid | TokenRejected::Expired) => {
            Err(Ending::Close(&close::NOT_SIGNED_IN))
        }
        Err(TokenRejected::Revoked) => Err(Ending::Close(&close::REVOKED)),
    }
}
