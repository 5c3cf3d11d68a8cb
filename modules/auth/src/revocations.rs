//! The sessions revoked within the life of an access token, in memory, on every replica.
//!
//! Fed by this process's own revocations at once, by the bus, and by Postgres: at the start, whenever
//! the bus may have lost something, and every half a minute in case. An entry leaves only when every
//! access token of its session has expired, so a slow reader of Postgres never brings a session back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use halobestie_core::bus::{Bus, Event, Subscription};
use halobestie_core::clock::Clock;
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::{BoxError, Timestamp};
use tokio::sync::broadcast;
use tracing::warn;
use uuid::Uuid;

use crate::store;

/// The bus topic: a JSON array of session ids.
pub(crate) const TOPIC: &str = "auth.revoked";

/// How often Postgres is read in case.
const RELOAD_EVERY: Duration = Duration::from_secs(30);
/// How soon it is read again after it has not answered: something may have been missed.
const RELOAD_AGAIN: Duration = Duration::from_secs(1);
/// How far the clocks of two replicas may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// How many revocations a listener may lag behind before it must ask.
const LISTENER_QUEUE: usize = 1024;
/// Ids in one event.
const EVENT_IDS_MAX: usize = 100;

/// The set, and who listens to it.
pub(crate) struct Revocations {
    bus: Bus,
    clock: Clock,
    access_life: Duration,
    // Session id, and when its last access token ends.
    until: RwLock<HashMap<Uuid, Timestamp>>,
    listeners: broadcast::Sender<Uuid>,
}

impl Revocations {
    /// An empty set; access tokens live `access_life`.
    pub(crate) fn new(bus: Bus, clock: Clock, access_life: Duration) -> Self {
        let listeners = broadcast::Sender::new(LISTENER_QUEUE);
        Self {
            bus,
            clock,
            access_life,
            until: RwLock::default(),
            listeners,
        }
    }

    /// Whether a session is in the set. On every request's path.
    pub(crate) fn contains(&self, session_id: Uuid) -> bool {
        self.until
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&session_id)
    }

    /// Hears of sessions as they enter the set.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Uuid> {
        self.listeners.subscribe()
    }

    /// Revokes here at once and tells the other replicas; after the commit that revoked.
    pub(crate) fn publish(&self, session_ids: &[Uuid]) {
        self.add(session_ids);
        for ids in session_ids.chunks(EVENT_IDS_MAX) {
            match serde_json::to_vec(ids) {
                Ok(event) => self.bus.publish(TOPIC, event),
                Err(error) => warn!(%error, "a revocation could not be written for the bus"),
            }
        }
    }

    /// Reads the set from Postgres and drops what no token can need any more.
    ///
    /// # Errors
    /// When Postgres does not answer; the set stays as it was.
    pub(crate) async fn reload(&self, db: &Db) -> Result<(), DbError> {
        let since = self.clock.now() - self.access_life - CLOCK_SKEW;
        let ids = store::sessions::revoked_since(db, since).await?;
        self.add(&ids);
        let now = self.clock.now();
        self.until
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, until| *until > now);
        Ok(())
    }

    /// Follows the bus and Postgres until the process stops.
    pub(crate) async fn follow(
        &self,
        mut events: Subscription,
        db: &Db,
        lifecycle: &Lifecycle,
    ) -> Result<(), BoxError> {
        let mut reload_at = self.clock.now() + RELOAD_EVERY;
        loop {
            let must_reload = tokio::select! {
                () = lifecycle.soft().cancelled() => return Ok(()),
                () = self.clock.sleep_until(reload_at) => true,
                event = events.next() => self.take(&event),
            };
            if must_reload {
                let next = self.reload_or_say_why(db).await;
                reload_at = self.clock.now() + next;
            }
        }
    }

    /// Reads the set; how soon to read it again.
    async fn reload_or_say_why(&self, db: &Db) -> Duration {
        let Err(error) = self.reload(db).await else {
            return RELOAD_EVERY;
        };
        let error = &error as &dyn std::error::Error;
        warn!(error, "revocations cannot be read");
        RELOAD_AGAIN
    }

    /// Takes an event of the bus; true when Postgres must be asked.
    fn take(&self, event: &Event) -> bool {
        let Event::Message(payload) = event else {
            return true;
        };
        match serde_json::from_slice::<Vec<Uuid>>(payload) {
            Ok(ids) => self.add(&ids),
            Err(error) => {
                warn!(%error, "a revocation on the bus cannot be read");
                return true;
            }
        }
        false
    }

    fn add(&self, session_ids: &[Uuid]) {
        let until = self.clock.now() + self.access_life + CLOCK_SKEW;
        let mut set = self.until.write().unwrap_or_else(PoisonError::into_inner);
        for id in session_ids {
            if let Entry::Vacant(place) = set.entry(*id) {
                place.insert(until);
                // An error means that nobody listens.
                let _ = self.listeners.send(*id);
            }
        }
    }
}
