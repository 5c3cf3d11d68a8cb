//! WebSockets: the handshake, an open socket, and the reasons to close one.

pub mod close;
mod handshake;
mod socket;

use std::future::Future;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use tokio::time::timeout;
use tracing::{debug, error};

use crate::http::{Reply, Request};
use crate::lifecycle::Lifecycle;

pub use close::CloseCode;
pub(crate) use socket::OpenSockets;
pub use socket::{Received, SendError, Socket, SocketOptions};

/// The subprotocol we speak.
pub const SUBPROTOCOL: &str = "halobestie.v1";

/// From our 101 to the open socket.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// Answers a WebSocket handshake with 101 and runs `on_socket` as a tracked task once it is open.
///
/// # Errors
/// `upgrade_required` when the request is not a handshake, `bad_handshake` when it is one that we
/// cannot answer.
pub fn upgrade<F, Fut>(
    mut req: Request,
    lifecycle: &Lifecycle,
    options: SocketOptions,
    on_socket: F,
) -> Reply
where
    F: FnOnce(Socket) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let open = req.head.extensions.remove::<OpenSockets>();
    let on_upgrade = req.head.extensions.remove::<OnUpgrade>();
    // HTTP/2 has WebSockets of its own, which we do not speak; there is nothing to upgrade there.
    let (true, Some(on_upgrade)) = (handshake::is_asked_for(&req), on_upgrade) else {
        return Ok(handshake::required());
    };
    let answer = handshake::answer(&req)?;
    // Boxed: what an open socket is made of needs room once, and there are many that only wait.
    let opening = Box::pin(opened(on_upgrade, options, open));
    lifecycle.spawn("socket", async move {
        if let Some(socket) = opening.await {
            on_socket(socket).await;
        }
    });
    Ok(answer)
}

async fn opened(
    on_upgrade: OnUpgrade,
    options: SocketOptions,
    open: Option<OpenSockets>,
) -> Option<Socket> {
    match timeout(HANDSHAKE_MAX, on_upgrade).await {
        Ok(Ok(upgraded)) => {
            let socket = Socket::open(upgraded, options, open).await;
            if socket.is_none() {
                error!("a connection was not upgraded by this server");
            }
            return socket;
        }
        Ok(Err(error)) => debug!(%error, "a connection ended before it became a socket"),
        Err(_) => debug!("a connection did not become a socket in time"),
    }
    None
}
