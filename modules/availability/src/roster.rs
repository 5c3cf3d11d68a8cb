//! The roster: who is online and how busy, written to Postgres first and then shown in the mirror.
//!
//! The invariant: whatever is committed here is shown, or a reseed is called for that will show it.
//! That holds for a request that is dropped between the two as well.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use halobestie_core::bus::Bus;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::pg::{Db, DbError};
use halobestie_core::ports::{AVAILABILITY_CHANGED, AvailabilityChanged, Late, SessionLoad};
use halobestie_core::{Context, Timestamp};
use tracing::warn;
use uuid::Uuid;

use crate::config::AvailabilityConfig;
use crate::error::AvailabilityError;
use crate::liveness::Liveness;
use crate::meters::Meters;
use crate::mirror::{MemoryMirror, Mirror, Precedence, TrustedMirror, ValkeyMirror};
use crate::mitra::{Mitra, MitraState};
use crate::store;

/// Who is online and how busy.
pub(crate) struct Roster {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) mirror: TrustedMirror,
    pub(crate) liveness: Liveness,
    pub(crate) meters: Arc<Meters>,
    bus: Bus,
    session_load: Late<dyn SessionLoad>,
    pub(crate) max_sessions_default: i32,
    /// Counts what may have changed who is available, as far as this process did it.
    changes: AtomicU64,
}

impl Roster {
    /// The roster of this process.
    pub(crate) fn new(config: &AvailabilityConfig, cx: &Context) -> Self {
        let liveness = Liveness::new(config);
        let meters = Arc::new(Meters::new(&cx.metrics));
        let mirror: Arc<dyn Mirror> = match &cx.valkey {
            Some(valkey) => Arc::new(ValkeyMirror::new(valkey.clone(), &liveness)),
            None => Arc::new(MemoryMirror::default()),
        };
        let connects = cx.valkey.as_ref().map(|valkey| valkey.connects());
        Self {
            db: cx.db.clone(),
            clock: cx.clock.clone(),
            entropy: cx.entropy.clone(),
            mirror: TrustedMirror::new(mirror, connects, meters.clone()),
            liveness,
            meters,
            bus: cx.bus.clone(),
            session_load: cx.ports.session_load.clone(),
            max_sessions_default: config.max_sessions_default,
            changes: AtomicU64::new(0),
        }
    }

    /// Changes whenever this process did something that may have changed who is available.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Sets a mitra online.
    ///
    /// # Errors
    /// When it is deactivated, or Postgres does not answer.
    pub(crate) async fn go_online(&self, id: Uuid) -> Result<MitraState, AvailabilityError> {
        let unshown = Unshown::new(&self.mirror);
        let now = self.clock.now();
        let mitra = store::set_online(&self.db, id, self.max_sessions_default, now).await?;
        let Some(mitra) = mitra else {
            unshown.nothing();
            return Err(AvailabilityError::Deactivated);
        };
        Ok(self.show_change(mitra, unshown).await?)
    }

    /// Sets a mitra offline.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn go_offline(&self, id: Uuid) -> Result<MitraState, AvailabilityError> {
        let unshown = Unshown::new(&self.mirror);
        match store::set_offline(&self.db, id, self.clock.now()).await? {
            Some(mitra) => Ok(self.show_change(mitra, unshown).await?),
            None => {
                unshown.nothing();
                self.state(id).await
            }
        }
    }

    /// A mitra as Postgres has it; its row is made where it is missing.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn state(&self, id: Uuid) -> Result<MitraState, AvailabilityError> {
        if let Some(mitra) = store::by_id(&self.db, id).await? {
            return Ok(self.loaded(mitra).await?);
        }
        let unshown = Unshown::new(&self.mirror);
        let added = store::add(&self.db, id, self.max_sessions_default, self.clock.now()).await?;
        match added {
            Some(mitra) => Ok(self.show(mitra, unshown).await?),
            // Somebody else was first, and shows it.
            None => {
                unshown.nothing();
                let mitra = store::by_id(&self.db, id).await?;
                Ok(self
                    .loaded(mitra.ok_or(DbError::Content("a mitra's row vanished"))?)
                    .await?)
            }
        }
    }

    /// When a mitra was last heard from: the mirror's word, or Postgres's where that is newer.
    pub(crate) async fn last_heard(&self, mitra: &Mitra) -> Option<Timestamp> {
        let sighting = self
            .mirror
            .ask("status", |mirror| mirror.sighting(mitra.id))
            .await;
        sighting
            .and_then(|sighting| sighting.heard_at)
            .max(mitra.last_heartbeat_at)
    }

    /// Shows how busy a mitra is, after the commit of what changed it. Best effort.
    pub(crate) async fn load_changed(&self, id: Uuid) {
        let unshown = Unshown::new(&self.mirror);
        let shown = match store::next_version(&self.db, id).await {
            Ok(Some(mitra)) => self.show(mitra, unshown).await.map(|_| ()),
            Ok(None) => {
                unshown.nothing();
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = shown {
            let error = &error as &dyn std::error::Error;
            warn!(mitra.id = %id, error, "cannot count a mitra's sessions; a reseed will");
        }
    }

    /// Shows mitras that were set offline, then tells of it.
    pub(crate) async fn show_gone(&self, mitras: Vec<Mitra>) -> Result<(), DbError> {
        let unshown = Unshown::new(&self.mirror);
        let events: Vec<Vec<u8>> = mitras.iter().map(announcement).collect();
        let states = self.all_loaded(mitras).await;
        if let Ok(states) = &states {
            self.apply(states).await;
            unshown.nothing();
        }
        events
            .into_iter()
            .for_each(|event| self.bus.publish(AVAILABILITY_CHANGED, event));
        states.map(|_| ())
    }

    /// Rows with their load.
    pub(crate) async fn all_loaded(&self, mitras: Vec<Mitra>) -> Result<Vec<MitraState>, DbError> {
        let ids: Vec<Uuid> = mitras.iter().map(|mitra| mitra.id).collect();
        let load = match self.session_load.get() {
            Some(session_load) if !ids.is_empty() => session_load.open_sessions(&ids).await?,
            _ => HashMap::new(),
        };
        let state = |mitra: Mitra| {
            let in_use = load.get(&mitra.id).copied().unwrap_or(0);
            MitraState { mitra, in_use }
        };
        Ok(mitras.into_iter().map(state).collect())
    }

    /// How many sessions everyone has open.
    pub(crate) async fn load_of_all(&self) -> Result<HashMap<Uuid, u32>, DbError> {
        match self.session_load.get() {
            Some(session_load) => session_load.all_open_sessions().await,
            None => Ok(HashMap::new()),
        }
    }

    async fn loaded(&self, mitra: Mitra) -> Result<MitraState, DbError> {
        let states = self.all_loaded(vec![mitra]).await?;
        states
            .into_iter()
            .next()
            .ok_or(DbError::Content("a mitra was lost on the way"))
    }

    /// Shows a change, then tells of it, so that who hears of it finds it shown.
    pub(crate) async fn show_change(
        &self,
        mitra: Mitra,
        unshown: Unshown<'_>,
    ) -> Result<MitraState, DbError> {
        let event = announcement(&mitra);
        let shown = self.show(mitra, unshown).await;
        self.bus.publish(AVAILABILITY_CHANGED, event);
        shown
    }

    async fn show(&self, mitra: Mitra, unshown: Unshown<'_>) -> Result<MitraState, DbError> {
        let state = self.loaded(mitra).await?;
        self.apply(std::slice::from_ref(&state)).await;
        unshown.nothing();
        Ok(state)
    }

    async fn apply(&self, states: &[MitraState]) {
        let now = self.clock.now();
        let applied = self
            .mirror
            .tell("apply", |mirror| {
                mirror.apply(states, Precedence::Newest, now)
            })
            .await;
        if applied.is_none_or(|applied| applied.flipped) {
            self.changed();
        }
    }

    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

fn announcement(mitra: &Mitra) -> Vec<u8> {
    let told = AvailabilityChanged {
        mitra_id: mitra.id,
        online: mitra.is_online,
        active: mitra.is_active,
    };
    // A struct of an id and two switches is always JSON.
    serde_json::to_vec(&told).unwrap_or_default()
}

/// Something that may be committed and is not shown yet. Dropped before it is, because its caller
/// went away or Postgres failed in the middle, it calls for a reseed.
pub(crate) struct Unshown<'a> {
    mirror: Option<&'a TrustedMirror>,
}

impl<'a> Unshown<'a> {
    pub(crate) fn new(mirror: &'a TrustedMirror) -> Self {
        Self {
            mirror: Some(mirror),
        }
    }

    /// It was shown, or there is nothing to show.
    fn nothing(mut self) {
        self.mirror = None;
    }
}

impl Drop for Unshown<'_> {
    fn drop(&mut self) {
        if let Some(mirror) = self.mirror {
            mirror.want_reseed();
        }
    }
}
