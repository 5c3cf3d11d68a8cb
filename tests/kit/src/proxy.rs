//! A TCP proxy in front of Postgres or Valkey, so that a test can cut or freeze the wire.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::environment;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Bytes pass.
    Open,
    /// Bytes pass, each after this long: a server that is far away or overworked.
    Slow(Duration),
    /// Connections stand, new ones are taken, nothing passes: a server that hangs.
    Frozen,
    /// Connections are broken, new ones too: a server that is gone.
    Gone,
}

impl Mode {
    /// How long bytes wait before they pass; `None` where they do not.
    fn delay(self) -> Option<Duration> {
        match self {
            Self::Open => Some(Duration::ZERO),
            Self::Slow(delay) => Some(delay),
            Self::Frozen | Self::Gone => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct State {
    mode: Mode,
    /// Connections of an earlier epoch are broken.
    epoch: u64,
}

/// The proxy. It ends with its test.
pub struct TcpProxy {
    address: SocketAddr,
    state: watch::Sender<State>,
}

impl TcpProxy {
    /// A proxy in front of the tests' Postgres; see `Plan::postgres_through`.
    pub async fn to_postgres() -> Self {
        Self::to(&authority(&environment::database_url())).await
    }

    /// A proxy in front of the tests' Valkey; see [`TcpProxy::valkey_url`].
    pub async fn to_valkey() -> Self {
        Self::to(&authority(&environment::valkey_url())).await
    }

    /// A proxy in front of anything that listens at `host:port`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the proxy is no part of a server"
    )]
    pub async fn to(target: &str) -> Self {
        let target = lookup_host(target)
            .await
            .ok()
            .and_then(|mut found| found.next());
        let target = target.expect("the proxy's target is host:port");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let state = watch::Sender::new(State {
            mode: Mode::Open,
            epoch: 0,
        });
        tokio::spawn(accept(listener, target, state.subscribe()));
        Self { address, state }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a Valkey behind it.
    pub fn valkey_url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Lets nothing pass and keeps every connection.
    pub fn freeze(&self) {
        self.change(Mode::Frozen, 0);
    }

    /// Breaks every connection, and every new one.
    pub fn cut(&self) {
        self.change(Mode::Gone, 1);
    }

    /// Breaks every connection; new ones pass.
    pub fn blink(&self) {
        self.change(Mode::Open, 1);
    }

    /// Keeps all bytes back for this long, on the way there and on the way back.
    pub fn slow(&self, delay: Duration) {
        self.change(Mode::Slow(delay), 0);
    }

    /// Lets everything pass again.
    pub fn mend(&self) {
        self.change(Mode::Open, 0);
    }

    fn change(&self, mode: Mode, epochs: u64) {
        self.state.send_modify(|state| {
            *state = State {
                mode,
                epoch: state.epoch + epochs,
            }
        });
    }
}

fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, address)| address)
        .to_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the proxy is no part of a server"
)]
async fn accept(listener: TcpListener, target: SocketAddr, mut state: watch::Receiver<State>) {
    loop {
        // The proxy's sender going away ends the proxy.
        let client = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closed(&mut state) => return,
        };
        if let Ok((client, _)) = client {
            tokio::spawn(connect(client, target, state.clone()));
        }
    }
}

async fn closed(state: &mut watch::Receiver<State>) {
    while state.changed().await.is_ok() {}
}

#[expect(
    clippy::disallowed_methods,
    reason = "the proxy is no part of a server"
)]
async fn connect(client: TcpStream, target: SocketAddr, state: watch::Receiver<State>) {
    if state.borrow().mode == Mode::Gone {
        return;
    }
    let epoch = state.borrow().epoch;
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    tokio::spawn(pump(client_read, server_write, state.clone(), epoch));
    pump(server_read, client_write, state, epoch).await;
}

/// Copies one direction until its source ends or its epoch is over. Dropping both halves of a socket
/// closes it.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    epoch: u64,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let now = *state.borrow_and_update();
        if now.epoch != epoch {
            return;
        }
        tokio::select! {
            biased;
            changed = state.changed() => if changed.is_err() { return },
            read = from.read(&mut buffer), if now.mode.delay().is_some() => {
                let Ok(count @ 1..) = read else { return };
                sleep(now.mode.delay().unwrap_or_default()).await;
                if to.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
