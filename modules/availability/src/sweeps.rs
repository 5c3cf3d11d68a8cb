//! The three sweeps. Each is safe on any number of replicas, and each ends with an error, having
//! changed nothing, when the mirror does not answer.

use std::sync::Arc;
use std::time::Duration;

use halobestie_core::BoxError;
use halobestie_core::sweep::{Sweep, Swept};
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

/// The mirror does not answer, so nothing can be said about anybody.
#[derive(Debug, thiserror::Error)]
#[error("the mirror does not answer; nobody was touched")]
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
    let online = everyone_online(&roster).await?;
    let now = roster.clock.now();
    let mut silent = Silent::default();
    for mitra in online {
        if mitra
            .heard_at
            .is_some_and(|heard| roster.liveness.is_fresh(heard, now))
        {
            continue;
        }
        silent.ids.push(mitra.mitra_id);
        silent.versions.push(mitra.version);
        silent.is_lost.push(mitra.heard_at.is_none());
    }
    if silent.ids.is_empty() {
        return Ok(Swept::done(0));
    }
    let gone = store::take_offline(&roster.db, &silent, roster.stale_at(now), now).await?;
    let swept = Swept::done(gone.len().try_into().unwrap_or(u64::MAX));
    roster.show_gone(gone).await?;
    Ok(swept)
}

async fn write_heartbeats(roster: Arc<Roster>) -> Result<Swept, BoxError> {
    let online = everyone_online(&roster).await?;
    let now = roster.clock.now();
    // A heartbeat from a clock that is ahead must not outlive its time in Postgres.
    let heard = online
        .iter()
        .filter_map(|it| Some((it.mitra_id, it.heard_at?.min(now))));
    let (ids, heard_at): (Vec<Uuid>, Vec<_>) = heard.unzip();
    if ids.is_empty() {
        return Ok(Swept::done(0));
    }
    Ok(Swept::done(
        store::keep_heartbeats(&roster.db, &ids, &heard_at).await?,
    ))
}

async fn reseed(roster: Arc<Roster>) -> Result<Swept, BoxError> {
    Ok(Swept::done(roster.reseed().await?))
}

async fn everyone_online(roster: &Roster) -> Result<Vec<Online>, MirrorAway> {
    let online = roster
        .mirror
        .ask("online", |mirror| mirror.online())
        .await
        .ok_or(MirrorAway)?;
    let now = roster.clock.now();
    let ages = online
        .iter()
        .filter_map(|it| it.heard_at)
        .map(|heard| now.since(heard));
    roster
        .meters
        .seen_online(online.len(), ages.max().unwrap_or(Duration::ZERO));
    Ok(online)
}
