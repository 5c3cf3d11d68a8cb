//! How mitras stand, for those who look after them: whether they can be asked, and otherwise why not.

use std::collections::HashMap;

use futures_util::future::join_all;
use halobestie_core::Timestamp;
use halobestie_core::pg::DbError;
use halobestie_core::ports::{MitraCounts, MitraStanding, Standing};
use uuid::Uuid;

use crate::mitra::{Mitra, MitraState};
use crate::roster::Roster;
use crate::store;

/// When mitras were last heard from, and from when on that counts.
struct Heard {
    at: HashMap<Uuid, Timestamp>,
    stale_at: Timestamp,
}

impl Roster {
    /// How many are online and how many of them can be asked.
    ///
    /// # Errors
    /// When neither the mirror nor Postgres answers.
    pub(crate) async fn mitra_counts(&self) -> Result<MitraCounts, DbError> {
        Ok(MitraCounts {
            online: store::count_online(&self.db).await?,
            available: self.count().await?.available,
        })
    }

    /// How these mitras stand, those without a row by the defaults.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn standings_of(
        &self,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, MitraStanding>, DbError> {
        let mut known: HashMap<Uuid, Mitra> = store::by_ids(&self.db, ids)
            .await?
            .into_iter()
            .map(|mitra| (mitra.id, mitra))
            .collect();
        let all = ids.iter().map(|id| {
            let unknown = || self.unknown(*id);
            known.remove(id).unwrap_or_else(unknown)
        });
        let states = self.all_loaded(all.collect()).await?;
        let heard = self.heard_one_by_one(&states).await;
        let standing = |state: &MitraState| (state.mitra.id, heard.standing(state));
        Ok(states.iter().map(standing).collect())
    }

    /// Every mitra that stands so.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub(crate) async fn all_standing(&self, standing: Standing) -> Result<Vec<Uuid>, DbError> {
        match standing {
            Standing::Available => return self.find().await,
            Standing::Deactivated => return store::deactivated(&self.db).await,
            Standing::Offline => return store::offline(&self.db).await,
            Standing::Silent | Standing::Full => {}
        }
        let states = self.all_loaded(store::online(&self.db).await?).await?;
        let heard = self.heard_at_once(&states).await;
        let found = states
            .iter()
            .filter(|state| heard.standing(state).standing == standing);
        Ok(found.map(|state| state.mitra.id).collect())
    }

    fn unknown(&self, id: Uuid) -> Mitra {
        Mitra {
            id,
            is_online: false,
            is_active: true,
            max_sessions: self.max_sessions_default,
            last_heartbeat_at: None,
            version: 0,
        }
    }

    /// For a page of mitras: a command each, all on their way at once.
    async fn heard_one_by_one(&self, states: &[MitraState]) -> Heard {
        let sightings = join_all(states.iter().map(|state| async {
            let id = state.mitra.id;
            let seen = self
                .mirror
                .ask("standing", |mirror| mirror.sighting(id))
                .await?;
            Some((id, seen.heard_at))
        }));
        let sightings: Option<Vec<_>> = sightings.await.into_iter().collect();
        let seen = sightings.map(|all| {
            let heard = all.into_iter().filter_map(|(id, at)| Some((id, at?)));
            heard.collect()
        });
        self.heard(states, seen)
    }

    /// For all who are online: page by page.
    async fn heard_at_once(&self, states: &[MitraState]) -> Heard {
        let online = self.mirror.ask("standings", |mirror| mirror.online()).await;
        let seen = online.map(|all| {
            let heard = all.into_iter();
            heard
                .filter_map(|it| Some((it.mitra_id, it.heard_at?)))
                .collect()
        });
        self.heard(states, seen)
    }

    /// The mirror's word, or Postgres's where that is newer or the mirror does not answer.
    fn heard(&self, states: &[MitraState], seen: Option<HashMap<Uuid, Timestamp>>) -> Heard {
        let stale_at = self.stale_at(self.clock.now());
        let stale_at = match seen {
            Some(_) => stale_at.mirror,
            None => stale_at.postgres,
        };
        let seen = seen.unwrap_or_default();
        let at = states.iter().filter_map(|state| {
            let mitra = &state.mitra;
            let heard = seen.get(&mitra.id).copied().max(mitra.last_heartbeat_at)?;
            Some((mitra.id, heard))
        });
        Heard {
            at: at.collect(),
            stale_at,
        }
    }
}

impl Heard {
    fn standing(&self, state: &MitraState) -> MitraStanding {
        let mitra = &state.mitra;
        let heard = self.at.get(&mitra.id).copied();
        let standing = if !mitra.is_active {
            Standing::Deactivated
        } else if !mitra.is_online {
            Standing::Offline
        } else if heard.is_none_or(|at| at <= self.stale_at) {
            Standing::Silent
        } else if !state.is_open() {
            Standing::Full
        } else {
            Standing::Available
        };
        MitraStanding {
            standing,
            is_online: mitra.is_online,
            is_active: mitra.is_active,
            max_sessions: mitra.max_sessions,
            in_use: state.in_use,
            last_heartbeat_at: heard,
        }
    }
}
