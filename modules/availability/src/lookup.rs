//! Who can be asked, and signs of life: the mirror's word first, Postgres's where there is none.

use halobestie_core::Timestamp;
use halobestie_core::pg::DbError;
use halobestie_core::ports::{Heartbeat, HeartbeatError};
use uuid::Uuid;

use crate::meters::AnsweredBy;
use crate::mirror::Pulse;
use crate::roster::Roster;
use crate::store::{self, StaleAt};

/// How many can be asked, and who said so.
pub(crate) struct Counted {
    /// Mitras.
    pub available: u64,
    /// Who said so.
    pub by: AnsweredBy,
}

impl Roster {
    /// Whether a mitra is online, not deactivated and heard from lately.
    ///
    /// # Errors
    /// When neither the mirror nor Postgres answers.
    pub(crate) async fn is_reachable(&self, id: Uuid) -> Result<bool, DbError> {
        let now = self.clock.now();
        match self
            .mirror
            .ask("reachable", |mirror| mirror.sighting(id))
            .await
        {
            Some(seen) => {
                let is_heard = seen
                    .heard_at
                    .is_some_and(|heard| self.liveness.is_fresh(heard, now));
                Ok(seen.is_online && !seen.is_deactivated && is_heard)
            }
            None => store::is_reachable(&self.db, id, self.stale_at(now).postgres).await,
        }
    }

    /// Everyone who is reachable and below its capacity, in no order.
    ///
    /// # Errors
    /// When neither the mirror nor Postgres answers.
    pub(crate) async fn find(&self) -> Result<Vec<Uuid>, DbError> {
        let stale_at = self.stale_at(self.clock.now());
        let found = self
            .mirror
            .ask("find", |mirror| mirror.available(stale_at.mirror))
            .await;
        match found {
            Some(found) => Ok(found),
            None => self.find_in_postgres(stale_at.postgres).await,
        }
    }

    /// How many are reachable and below their capacity.
    ///
    /// # Errors
    /// When neither the mirror nor Postgres answers.
    pub(crate) async fn count(&self) -> Result<Counted, DbError> {
        let stale_at = self.stale_at(self.clock.now());
        let counted = self
            .mirror
            .ask("count", |mirror| mirror.count_available(stale_at.mirror))
            .await;
        if let Some(available) = counted {
            let by = AnsweredBy::Mirror;
            return Ok(Counted { available, by });
        }
        let found = self.find_in_postgres(stale_at.postgres).await?;
        Ok(Counted {
            available: found.len().try_into().unwrap_or(u64::MAX),
            by: AnsweredBy::Postgres,
        })
    }

    async fn find_in_postgres(&self, stale_at: Timestamp) -> Result<Vec<Uuid>, DbError> {
        let reachable = store::reachable(&self.db, stale_at).await?;
        let load = self.load_of_all().await?;
        let in_use = |id: &Uuid| i64::from(load.get(id).copied().unwrap_or(0));
        let available = reachable
            .into_iter()
            .filter(|(id, max)| in_use(id) < i64::from(*max));
        Ok(available.map(|(id, _)| id).collect())
    }

    /// Takes a sign of life.
    ///
    /// # Errors
    /// When the mitra is deactivated, or neither the mirror nor Postgres answers.
    pub(crate) async fn heartbeat(&self, id: Uuid) -> Result<Heartbeat, HeartbeatError> {
        let now = self.clock.now();
        let pulse = match self
            .mirror
            .ask("heartbeat", |mirror| mirror.heartbeat(id, now))
            .await
        {
            Some(pulse) => {
                self.meters.heartbeat(AnsweredBy::Mirror);
                pulse
            }
            None => {
                self.meters.heartbeat(AnsweredBy::Postgres);
                self.heartbeat_in_postgres(id, now).await?
            }
        };
        let next_heartbeat_seconds = self.liveness.heartbeat_interval().as_secs();
        match pulse {
            Pulse::Online => Ok(Heartbeat {
                online: true,
                next_heartbeat_seconds,
            }),
            Pulse::Offline => Ok(Heartbeat {
                online: false,
                next_heartbeat_seconds,
            }),
            Pulse::Deactivated => Err(HeartbeatError::Deactivated),
        }
    }

    async fn heartbeat_in_postgres(&self, id: Uuid, now: Timestamp) -> Result<Pulse, DbError> {
        Ok(match store::heartbeat(&self.db, id, now).await? {
            Some(guard) if !guard.is_active => Pulse::Deactivated,
            Some(guard) if guard.is_online => Pulse::Online,
            _ => Pulse::Offline,
        })
    }

    /// The instants at which heartbeats are stale.
    pub(crate) fn stale_at(&self, now: Timestamp) -> StaleAt {
        StaleAt {
            mirror: self.liveness.stale_at(now),
            postgres: self.liveness.stale_in_postgres_at(now),
        }
    }
}
