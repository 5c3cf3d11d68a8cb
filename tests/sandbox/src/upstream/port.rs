//! A port that can be closed and opened again without ever being anybody else's.
//!
//! A second socket is bound to it all the time and never listens: while the listening one is away the
//! kernel refuses connections, as it does for a server that is down, and gives the port to no one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Connections that the kernel keeps for us.
const BACKLOG: u32 = 1024;

/// A handle on a port. Clones speak of the same one.
#[derive(Clone)]
pub(crate) struct Port(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    /// Keeps the port ours.
    _placeholder: TcpSocket,
    wanted: watch::Sender<bool>,
    is_open: watch::Sender<bool>,
    wires: watch::Sender<Wires>,
}

/// The connections of a while: both tokens are theirs, and are replaced once turned.
#[derive(Clone, Default)]
pub(super) struct Wires {
    pub(super) cut: CancellationToken,
    pub(super) drain: CancellationToken,
}

impl Port {
    /// Takes a port, and does not listen yet.
    ///
    /// # Errors
    /// When somebody listens there.
    pub(crate) fn take(address: SocketAddr) -> io::Result<Self> {
        // Shared ports hide each other, so whether somebody listens there is asked without sharing.
        drop(std::net::TcpListener::bind(address)?);
        let placeholder = socket(address)?;
        let address = placeholder.local_addr()?;
        Ok(Self(Arc::new(Inner {
            address,
            _placeholder: placeholder,
            wanted: watch::Sender::new(true),
            is_open: watch::Sender::new(false),
            wires: watch::Sender::default(),
        })))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }

    pub(crate) async fn close(&self) {
        self.0.wanted.send_replace(false);
        self.cut();
        self.until(false).await;
    }

    pub(crate) async fn open(&self) {
        self.0.wanted.send_replace(true);
        self.until(true).await;
    }

    /// Waits until the listener has followed.
    async fn until(&self, open: bool) {
        // The sender is ours, so the wait cannot fail.
        let _ = self.0.is_open.subscribe().wait_for(|it| *it == open).await;
    }

    pub(crate) fn cut(&self) {
        self.0.wires.send_replace(Wires::default()).cut.cancel();
    }

    pub(crate) fn drain(&self) {
        let cut = self.wires().cut;
        let drain = CancellationToken::new();
        self.0
            .wires
            .send_replace(Wires { cut, drain })
            .drain
            .cancel();
    }

    pub(super) fn wires(&self) -> Wires {
        self.0.wires.borrow().clone()
    }

    pub(super) fn listen(&self) -> io::Result<TcpListener> {
        let listener = socket(self.0.address)?.listen(BACKLOG)?;
        self.0.is_open.send_replace(true);
        Ok(listener)
    }

    pub(super) fn closed(&self) {
        self.0.is_open.send_replace(false);
    }

    /// Returns when the port is wanted open, or closed.
    pub(super) async fn wanted(&self, open: bool) {
        let _ = self.0.wanted.subscribe().wait_for(|it| *it == open).await;
    }
}

fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}
