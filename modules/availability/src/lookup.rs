//! Who can be asked, and signs of life: the mirror's word first, Postgres's where there is none.

use halobestie_core::Timestamp;
use halobestie_core::pg::DbError;
use halobestie_core::ports::{Heartbeat, HeartbeatError};
use uuid::Uuid;

use crate::meters::AnsweredBy;
use crate::mirror::{Candidate, Pulse};
use crate::roster::Roster;
use crate::store::{self, StaleAt};

/// Who can be asked, and who said so.
pub(crate) struct Found {
    /// The mitras, in no order.
    pub mitras: Vec<Uuid>,
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

    /// Everyone who is reachable and below its capacity.
    ///
    /// # Errors
    /// When neither the mirror nor Postgres answers.
    pub(crate) async fn find(&self) -> Result<Found, DbError> {
        let now = self.clock.now();
        if let Some(candidates) = self.mirror.ask("find", |mirror| mirror.candidates()).await {
            let available = candidates
                .iter()
                .filter(|candidate| self.is_available(candidate, now));
            let mitras = available.map(|candidate| candidate.mitra_id).collect();
            return Ok(Found {
                mitras,
                by: AnsweredBy::Mirror,
            });
        }
        let reachable = store::reachable(&self.db, self.stale_at(now).postgres).await?;
        let load = self.load_of_all().await?;
        let in_use = |id: &Uuid| i64::from(load.get(id).copied().unwrap_or(0));
        let available = reachable
            .into_iter()
            .filter(|(id, max)| in_use(id) < i64::from(*max));
        Ok(Found {
            mitras: available.map(|(id, _)| id).collect(),
            by: AnsweredBy::Postgres,
        })
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

    fn is_available(&self, candidate: &Candidate, now: Timestamp) -> bool {
        let is_heard = candidate
            .heard_at
            .is_some_and(|heard| self.liveness.is_fresh(heard, now));
        is_heard && candidate.in_use < candidate.max_sessions
    }

    /// The instants at which heartbeats are stale.
    pub(crate) fn stale_at(&self, now: Timestamp) -> StaleAt {
        StaleAt {
            mirror: self.liveness.stale_at(now),
            postgres: self.liveness.stale_in_postgres_at(now),
        }
    }
}
