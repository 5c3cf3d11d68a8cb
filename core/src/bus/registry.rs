//! Who listens to what in this process, and which topics the listener has yet to look at.
//!
//! The listener is told the names of topics that changed, not what to do: it compares what is wanted
//! with what it has. So a topic that comes and goes between two looks costs nothing, and the list is
//! never longer than there are topics. Locks are taken in the order topics, changed, queue.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use tokio::sync::Notify;

use super::meters::Meters;
use super::queue::Queue;

/// How far the bus reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// This process alone: every topic is live from the start.
    Process,
    /// Every process: a topic is live while Valkey has confirmed it.
    Cluster,
}

/// The subscribers of a process by topic.
pub(super) struct Registry {
    reach: Reach,
    topics: RwLock<HashMap<Arc<str>, Topic>>,
    changed: Mutex<HashSet<Arc<str>>>,
    changes: Notify,
    meters: Arc<Meters>,
}

/// Topics to look at.
pub(super) struct Changes {
    /// Somebody listens.
    pub(super) wanted: Vec<Arc<str>>,
    /// Nobody listens any more.
    pub(super) unwanted: Vec<Arc<str>>,
}

struct Topic {
    // One or two for most topics, so a plain list.
    queues: Vec<Arc<Queue>>,
    live: bool,
}

impl Registry {
    pub(super) fn new(reach: Reach, meters: Arc<Meters>) -> Self {
        Self {
            reach,
            topics: RwLock::default(),
            changed: Mutex::default(),
            changes: Notify::new(),
            meters,
        }
    }

    /// Adds a subscriber.
    pub(super) fn subscribe(&self, name: &str) -> (Arc<str>, Arc<Queue>) {
        self.meters.subscriptions.inc();
        let mut topics = self.write();
        let known = topics.get_key_value(name).map(|(known, _)| known.clone());
        let name = known.unwrap_or_else(|| name.into());
        let topic = topics.entry(name.clone()).or_insert_with(|| {
            self.note_change(&name);
            Topic::new(self.reach)
        });
        (name, topic.add())
    }

    /// Takes a subscriber away, and its topic with the last one.
    pub(super) fn unsubscribe(&self, name: &Arc<str>, queue: &Arc<Queue>) {
        self.meters.subscriptions.dec();
        let mut topics = self.write();
        let Some(topic) = topics.get_mut(name) else {
            return;
        };
        if let Some(at) = topic
            .queues
            .iter()
            .position(|other| Arc::ptr_eq(other, queue))
        {
            topic.queues.swap_remove(at);
        }
        if topic.queues.is_empty() {
            topics.remove(name);
            self.note_change(name);
        }
    }

    /// Queues an event for every subscriber of a topic.
    pub(super) fn deliver(&self, name: &str, payload: &Bytes) {
        let topics = self.read();
        let Some(topic) = topics.get(name) else {
            return;
        };
        for queue in &topic.queues {
            let dropped = queue.push(payload.clone());
            if dropped > 0 {
                self.meters.dropped_by_reader.inc_by(dropped as u64);
            }
        }
        self.meters.delivered.inc_by(topic.queues.len() as u64);
    }

    /// Tells every subscriber that it may have missed something.
    pub(super) fn lose_all(&self) {
        for topic in self.read().values() {
            topic.queues.iter().for_each(|queue| queue.lose());
        }
    }

    /// Valkey has confirmed these topics. Their subscribers are told `Lost`.
    pub(super) fn confirm(&self, names: &[Arc<str>]) {
        let mut topics = self.write();
        for name in names {
            if let Some(topic) = topics.get_mut(name) {
                topic.live = true;
                topic.queues.iter().for_each(|queue| queue.go_live());
            }
        }
    }

    /// The connection broke: no topic is live.
    pub(super) fn cut(&self) {
        for topic in self.write().values_mut() {
            topic.live = false;
            topic.queues.iter().for_each(|queue| queue.cut());
        }
    }

    /// Every topic that is wanted; what changed until now is in it.
    pub(super) fn wanted(&self) -> Vec<Arc<str>> {
        let topics = self.read();
        self.changed().clear();
        topics.keys().cloned().collect()
    }

    /// Waits for changes.
    pub(super) async fn changes(&self) -> Changes {
        loop {
            if let Some(changes) = self.take_changes() {
                return changes;
            }
            self.changes.notified().await;
        }
    }

    fn take_changes(&self) -> Option<Changes> {
        let topics = self.read();
        let changed = std::mem::take(&mut *self.changed());
        if changed.is_empty() {
            return None;
        }
        let is_wanted = |name: &Arc<str>| topics.contains_key(name);
        let (wanted, unwanted) = changed.into_iter().partition(is_wanted);
        Some(Changes { wanted, unwanted })
    }

    /// A subscriber was told `Lost`.
    pub(super) fn count_lost(&self) {
        self.meters.lost.inc();
    }

    fn note_change(&self, name: &Arc<str>) {
        if self.reach == Reach::Cluster {
            self.changed().insert(name.clone());
            self.changes.notify_one();
        }
    }

    fn changed(&self) -> MutexGuard<'_, HashSet<Arc<str>>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Arc<str>, Topic>> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Arc<str>, Topic>> {
        self.topics.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Topic {
    fn new(reach: Reach) -> Self {
        Self {
            queues: Vec::with_capacity(1),
            live: reach == Reach::Process,
        }
    }

    fn add(&mut self) -> Arc<Queue> {
        let queue = Arc::new(Queue::new(self.live));
        self.queues.push(queue.clone());
        queue
    }
}
