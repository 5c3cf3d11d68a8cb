//! The bus: small events to whoever listens, in this process and in the others.
//!
//! Publish and subscribe by topic over Valkey's pub/sub, on a connection of its own; in-process where
//! there is no Valkey. At most once: what matters is in Postgres, and a subscriber that is told
//! [`Event::Lost`] reads there what it missed. Local subscribers are served at once, without the round
//! trip, and never twice.
//!
//! The invariant to keep: whatever a subscriber may have missed, it is told `Lost` after. That covers
//! the cut of its own connection (told once the topic is subscribed again), its own slowness, and
//! events that another process could not send (which says so as soon as it can).

mod envelope;
mod listener;
mod meters;
mod publisher;
mod queue;
mod registry;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use self::envelope::Wire;
use self::listener::Listener;
use self::meters::Meters;
use self::publisher::Publisher;
use self::queue::Queue;
use self::registry::{Reach, Registry};
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::valkey::Valkey;

/// What a subscriber gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody published this.
    Message(Bytes),
    /// Something may have been missed: the bus was cut off and is back, or this subscriber was too
    /// slow for its queue. Read the truth again.
    Lost,
}

/// The bus. Clones share it.
#[derive(Clone)]
pub struct Bus {
    shared: Arc<Shared>,
}

/// What the clones, their subscriptions and the listener share.
struct Shared {
    registry: Arc<Registry>,
    publisher: Option<Arc<Publisher>>,
    connected: Arc<watch::Sender<bool>>,
    meters: Arc<Meters>,
}

impl Bus {
    /// A bus that reaches this process alone.
    pub fn in_process(metrics: &Metrics) -> Self {
        let meters = Arc::new(Meters::new(metrics));
        meters.connected.set(1);
        Self::of(Shared {
            registry: Arc::new(Registry::new(Reach::Process, meters.clone())),
            publisher: None,
            connected: Arc::new(watch::Sender::new(true)),
            meters,
        })
    }

    /// A bus over Valkey. It publishes through `valkey` and its circuit; it listens on a connection of
    /// its own, made in the background. Both go on while the process drains. To be called inside the
    /// runtime.
    pub fn over_valkey(valkey: &Valkey, metrics: &Metrics, lifecycle: &Lifecycle) -> Self {
        let meters = Arc::new(Meters::new(metrics));
        let wire = Arc::new(Wire::new(valkey));
        let registry = Arc::new(Registry::new(Reach::Cluster, meters.clone()));
        let connected = Arc::new(watch::Sender::new(false));
        let publisher = Arc::new(Publisher::new(
            valkey.clone(),
            wire.clone(),
            lifecycle.clone(),
            meters.clone(),
        ));
        let listener = Listener {
            valkey: valkey.clone(),
            wire,
            registry: registry.clone(),
            publisher: publisher.clone(),
            connected: connected.clone(),
            meters: meters.clone(),
        };
        lifecycle.spawn_carrier("bus-listener", listener.run(lifecycle.last().clone()));
        Self::of(Shared {
            registry,
            publisher: Some(publisher),
            connected,
            meters,
        })
    }

    fn of(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Publishes, without waiting: local subscribers have it in their queue when this returns. Events
    /// of one process arrive in the order in which it published them.
    pub fn publish(&self, topic: &str, payload: impl Into<Bytes>) {
        let payload = payload.into();
        self.shared.meters.published.inc();
        self.shared.registry.deliver(topic, &payload);
        if let Some(publisher) = &self.shared.publisher {
            publisher.enqueue(topic, &payload);
        }
    }

    /// Listens to a topic. Local events arrive from now on; those of other processes from the moment
    /// that Valkey confirms, and then the subscriber is told `Lost` once, for what it missed until
    /// then. Who would rather wait than read the truth twice calls [`Subscription::ready`] first.
    ///
    /// Cheap: one topic for each user is meant to be. Dropping the subscription ends it.
    pub fn subscribe(&self, topic: &str) -> Subscription {
        let (topic, queue) = self.shared.registry.subscribe(topic);
        Subscription {
            topic,
            queue,
            registry: self.shared.registry.clone(),
        }
    }

    /// Whether events of other processes arrive now; true in-process.
    pub fn is_connected(&self) -> bool {
        *self.shared.connected.borrow()
    }

    /// [`Bus::is_connected`] as it changes: who also polls Postgres polls it faster meanwhile.
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.shared.connected.subscribe()
    }
}

/// A bounded queue of a topic's events. Dropping it ends the subscription.
pub struct Subscription {
    topic: Arc<str>,
    queue: Arc<Queue>,
    registry: Arc<Registry>,
}

impl Subscription {
    /// Waits until events of other processes arrive too, `within` at most; whether they do. To be
    /// called before the truth is read for the first time: from a `true` on nothing is missed without
    /// a `Lost`, and the `Lost` that would have told of the confirmation is not told. After a `false`
    /// it will be, whenever the confirmation comes. Cancel-safe.
    pub async fn ready(&mut self, within: Duration) -> bool {
        tokio::time::timeout(within, self.queue.ready())
            .await
            .is_ok()
    }

    /// The next event; `Lost` overtakes what is queued. Cancel-safe; never ends while the bus lives.
    pub async fn next(&mut self) -> Event {
        let event = self.queue.next().await;
        if event == Event::Lost {
            self.registry.count_lost();
        }
        event
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.registry.unsubscribe(&self.topic, &self.queue);
    }
}
