//! The way in: a connection of its own that is subscribed to what the registry wants.
//!
//! Every exchange on it has a deadline, and a silent second is filled with a ping, so that a frozen
//! server is noticed. When the connection breaks it is made anew and everything subscribed again;
//! only then are the subscribers told that they may have missed something.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::envelope::{Incoming, Wire};
use super::meters::Meters;
use super::publisher::Publisher;
use super::registry::Registry;
use crate::valkey::backoff::Backoff;
use crate::valkey::{CONNECT_TIMEOUT, Valkey, ValkeyError, bounded};

/// The longest silence on the connection.
const PING_EVERY: Duration = Duration::from_secs(1);
/// Channels in one command: little enough for one deadline.
const CHANNELS_PER_COMMAND: usize = 500;

/// Receives events of other processes.
pub(super) struct Listener {
    pub(super) valkey: Valkey,
    pub(super) wire: Arc<Wire>,
    pub(super) registry: Arc<Registry>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) connected: Arc<watch::Sender<bool>>,
    pub(super) meters: Arc<Meters>,
}

/// How a connection ends.
type Cut = Result<std::convert::Infallible, ValkeyError>;

impl Listener {
    /// Listens until the token turns.
    pub(super) async fn run(self, last: CancellationToken) {
        tokio::select! {
            () = last.cancelled() => {}
            () = self.listen() => {}
            () = self.watch_valkey() => {}
        }
        self.show_connected(false);
    }

    async fn listen(&self) {
        let mut backoff = Backoff::new();
        let mut is_first = true;
        loop {
            let since = Instant::now();
            let Err(error) = self.connection().await;
            log(&error, is_first || self.is_connected());
            is_first = false;
            self.show_connected(false);
            self.registry.cut();
            backoff.failed_after(since);
            backoff.wait().await;
        }
    }

    /// Pays the publisher's debts when its connections are back; never ends.
    async fn watch_valkey(&self) {
        let mut connects = self.valkey.connects();
        while connects.changed().await.is_ok() {
            self.publisher.reconnected();
        }
    }

    /// One connection, from its making to its end.
    async fn connection(&self) -> Cut {
        let connect = self.valkey.client().get_async_pubsub();
        let (sink, stream) = bounded(CONNECT_TIMEOUT, connect).await?.split();
        tokio::select! {
            cut = self.receive(stream) => cut,
            cut = self.manage(sink) => cut,
        }
    }

    async fn receive(&self, mut stream: PubSubStream) -> Cut {
        while let Some(message) = stream.next().await {
            match self.wire.open(&message) {
                Some(Incoming::Event(topic, payload)) => {
                    self.meters.received.inc();
                    self.registry.deliver(topic, &payload);
                }
                Some(Incoming::Loss) => self.registry.lose_all(),
                None => {}
            }
        }
        let closed = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
        Err(ValkeyError::Command(closed.into()))
    }

    /// Subscribes to what is wanted, and follows as that changes.
    async fn manage(&self, sink: PubSubSink) -> Cut {
        let mut channels = Channels {
            sink,
            held: HashSet::new(),
            deadline: self.valkey.timeout(),
        };
        bounded(
            channels.deadline,
            channels.sink.subscribe(self.wire.losses()),
        )
        .await?;
        self.hold(&mut channels, self.registry.wanted()).await?;
        self.show_connected(true);
        info!(topics = channels.held.len(), "the bus is connected");
        loop {
            match timeout(PING_EVERY, self.registry.changes()).await {
                Ok(changes) => {
                    self.release(&mut channels, changes.unwanted).await?;
                    self.hold(&mut channels, changes.wanted).await?;
                }
                Err(_) => bounded(channels.deadline, channels.sink.ping()).await?,
            }
        }
    }

    /// Subscribes to those of the topics that are not held yet, and confirms all of them.
    async fn hold(
        &self,
        channels: &mut Channels,
        topics: Vec<Arc<str>>,
    ) -> Result<(), ValkeyError> {
        let (held, new): (Vec<_>, Vec<_>) = topics
            .into_iter()
            .partition(|topic| channels.held.contains(topic));
        // Left and taken up again before we looked: it was never unsubscribed.
        self.registry.confirm(&held);
        for chunk in new.chunks(CHANNELS_PER_COMMAND) {
            let names = self.names(chunk);
            bounded(channels.deadline, channels.sink.subscribe(names)).await?;
            channels.held.extend(chunk.iter().cloned());
            self.registry.confirm(chunk);
        }
        Ok(())
    }

    async fn release(
        &self,
        channels: &mut Channels,
        mut topics: Vec<Arc<str>>,
    ) -> Result<(), ValkeyError> {
        topics.retain(|topic| channels.held.remove(topic));
        for chunk in topics.chunks(CHANNELS_PER_COMMAND) {
            let names = self.names(chunk);
            bounded(channels.deadline, channels.sink.unsubscribe(names)).await?;
        }
        Ok(())
    }

    fn names(&self, topics: &[Arc<str>]) -> Vec<String> {
        topics
            .iter()
            .map(|topic| self.wire.channel(topic))
            .collect()
    }

    fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    fn show_connected(&self, connected: bool) {
        self.connected.send_replace(connected);
        self.meters.connected.set(i64::from(connected));
    }
}

/// The connection's sending half, and the topics that it is subscribed to.
struct Channels {
    sink: PubSubSink,
    held: HashSet<Arc<str>>,
    deadline: Duration,
}

/// Says a cut aloud, and not every attempt after it.
fn log(error: &ValkeyError, aloud: bool) {
    let error = error as &dyn std::error::Error;
    if aloud {
        warn!(
            error,
            "the bus is cut off from the other processes; trying on"
        );
    } else {
        debug!(error, "the bus cannot connect");
    }
}
