//! The three sweeps. Each is safe on any number of replicas, and each ends with an error when the mirror
//! does not answer, having touched only those of whom it had answered.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::sweep::{Sweep, Swept};
use halobestie_core::{BoxError, Timestamp};
use uuid::Uuid;

use crate::config::AvailabilityConfig;
use crate::mirror::Online;
use crate::roster::Roster;
use crate::store::{self, Silent};

/// Sets offline those whose heartbeat is stale.
pub(crate) const AUTO_OFFLINE: &str = "mitra-auto-offline";
/// Writes heartbeats to Postgres.
pub(crate) const HEARTBEAT_MIRROR: &str = "heartbeat-mirror";
/// Reseeds the mirror.
pub(crate) const ONLINE_MIRROR: &str = "valkey-online-mirror";

/// The mirror does not answer, so nothing can be said about the others.
#[derive(Debug, thiserror::Error)]
#[error("the mirror does not answer; of whom it said nothing, nobody was touched")]
struct MirrorAway;

/// The sweeps of this module.
pub(crate) fn sweeps(roster: &Arc<Roster>, config: &AvailabilityConfig) -> Vec<Sweep> {
    let (offline, heartbeats, seeding) = (roster.clone(), roster.clone(), roster.clone());
    vec![
        Sweep::new(AUTO_OFFLINE, config.auto_offline_every(), move || {
            take_silent_offline(offline.clone())
        }),
        Sweep::new(
            HEARTBEAT_MIRROR,
            config.heartbeat_mirror_every(),
            move || write_heartbeats(heartbeats.clone()),
        ),
        Sweep::new(ONLINE_MIRROR, config.online_mirror_every(), move || {
            reseed(seeding.clone())
        }),
    ]
}

async fn take_silent_offline(roster: Arc<Roster>) -> Result<Swept, BoxError> {
    let (mut pages, mut changed) = (Pages::of(&roster), 0);
    while let Some(page) = pages.next().await? {
        let now = roster.clock.now();
        let silent = roster.silent_among(&page, now);
        if silent.ids.is_empty() {
            continue;
        }
        let gone = store::take_offline(&roster.db, &silent, roster.stale_at(now), now).await?;
        changed += gone.len() as u64;
        roster.show_gone(gone).await?;
    }
    Ok(Swept::done(changed))
}

/// A page is written while the next is read.
async fn write_heartbeats(roster: Arc<Roster>) -> Result<Swept, BoxError> {
    let (mut pages, mut changed) = (Pages::of(&roster), 0);
    let mut page = pages.next().await?;
    while let Some(online) = page {
        let (written, next) = tokio::join!(roster.keep_heartbeats(&online), pages.next());
        changed += written?;
        page = next?;
    }
    Ok(Swept::done(changed))
}

async fn reseed(roster: Arc<Roster>) -> Result<Swept, BoxError> {
    Ok(Swept::done(roster.reseed().await?))
}

impl Roster {
    fn silent_among(&self, online: &[Online], now: Timestamp) -> Silent {
        let mut silent = Silent::default();
        for mitra in online {
            if mitra
                .heard_at
                .is_some_and(|heard| self.liveness.is_fresh(heard, now))
            {
                continue;
            }
            silent.ids.push(mitra.mitra_id);
            silent.versions.push(mitra.version);
            silent.is_lost.push(mitra.heard_at.is_none());
        }
        silent
    }

    async fn keep_heartbeats(&self, online: &[Online]) -> Result<u64, DbError> {
        let now = self.clock.now();
        // A heartbeat from a clock that is ahead must not outlive its time in Postgres.
        let heard = online
            .iter()
            .filter_map(|it| Some((it.mitra_id, it.heard_at?.min(now))));
        let (ids, heard_at): (Vec<Uuid>, Vec<_>) = heard.unzip();
        if ids.is_empty() {
            return Ok(0);
        }
        store::keep_heartbeats(&self.db, &ids, &heard_at).await
    }
}

/// Everyone who is online, some at a time: statements and locks are short however many there are, and
/// whoever else asks this process, Valkey or Postgres is served between two pages.
struct Pages<'a> {
    roster: &'a Roster,
    next: Option<u64>,
    seen: usize,
    oldest: Duration,
}

impl<'a> Pages<'a> {
    fn of(roster: &'a Roster) -> Self {
        Self {
            roster,
            next: Some(0),
            seen: 0,
            oldest: Duration::ZERO,
        }
    }

    /// The next page; none after the last.
    async fn next(&mut self) -> Result<Option<Vec<Online>>, MirrorAway> {
        let Self { roster, .. } = *self;
        let Some(cursor) = self.next else {
            roster.meters.seen_online(self.seen, self.oldest);
            return Ok(None);
        };
        let page = roster
            .mirror
            .ask("online", |mirror| mirror.online_page(cursor))
            .await
            .ok_or(MirrorAway)?;
        let now = roster.clock.now();
        let heard = page.mitras.iter().filter_map(|it| it.heard_at);
        self.oldest = heard
            .map(|heard| now.since(heard))
            .fold(self.oldest, Duration::max);
        self.seen += page.mitras.len();
        self.next = page.next;
        Ok(Some(page.mitras))
    }
}
