//! The two mirrors side by side: what no route can bring about is asked of them directly.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use halobestie_availability::AvailabilityConfig;
use halobestie_availability::liveness::Liveness;
use halobestie_availability::mirror::{
    Census, MemoryMirror, Mirror, MirrorError, Precedence, Pulse, ValkeyMirror,
};
use halobestie_availability::mitra::{Mitra, MitraState};
use halobestie_core::Timestamp;
use halobestie_core::valkey::redis::cmd;
use halobestie_testkit::{Plan, TestApp};
use uuid::Uuid;

use crate::keys::Keys;
use crate::support::{on_both_mirrors, plan};

on_both_mirrors! {
    an_older_state_never_overwrites_a_newer_one,
    postgres_can_overrule,
    an_unseeded_mirror_answers_nothing,
    only_a_flip_drops_the_snapshot,
    what_is_removed_is_gone,
}

pub(crate) const NOW: Timestamp = Timestamp::from_unix_ms(1_768_464_000_000);
/// A heartbeat of this instant is stale.
const STALE_AT: Timestamp = Timestamp::from_unix_ms(1_768_463_910_000);

/// A mirror of its own, in the Valkey of a server or beside it.
pub(crate) fn mirror(app: &TestApp) -> Arc<dyn Mirror> {
    let config = AvailabilityConfig {
        stale_seconds: 90,
        auto_offline_sweep_seconds: 30,
        heartbeat_mirror_interval_seconds: 60,
        online_mirror_sweep_seconds: 300,
        max_sessions_default: 3,
    };
    match &app.context().valkey {
        Some(valkey) => Arc::new(ValkeyMirror::new(valkey.clone(), &Liveness::new(&config))),
        None => Arc::new(MemoryMirror::default()),
    }
}

/// A mirror that is whole and empty, with the server that its Valkey belongs to.
pub(crate) async fn seeded(plan: Plan) -> (TestApp, Arc<dyn Mirror>) {
    let app = plan.start().await;
    let mirror = mirror(&app);
    mirror.begin_seed(id(9)).await.unwrap();
    assert!(mirror.end_seed(id(9), NOW).await.unwrap());
    (app, mirror)
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A mitra who is online and may have three sessions.
pub(crate) fn state(id: Uuid, version: i64, in_use: u32) -> MitraState {
    let mitra = Mitra {
        id,
        is_online: true,
        is_active: true,
        max_sessions: 3,
        last_heartbeat_at: Some(NOW),
        version,
    };
    MitraState { mitra, in_use }
}

fn online(version: i64, in_use: u32) -> MitraState {
    state(id(1), version, in_use)
}

fn offline(version: i64) -> MitraState {
    let mut state = online(version, 0);
    state.mitra.is_online = false;
    state
}

async fn an_older_state_never_overwrites_a_newer_one(plan: Plan) {
    let (_app, mirror) = seeded(plan).await;
    mirror
        .apply(&[offline(6)], Precedence::Newest, NOW)
        .await
        .unwrap();
    let applied = mirror
        .apply(&[online(5, 0)], Precedence::Newest, NOW)
        .await
        .unwrap();
    assert_eq!(applied.ahead, [(id(1), 6)]);
    assert_eq!(applied.differing, 0);
    assert!(!mirror.sighting(id(1)).await.unwrap().is_online);
    assert_eq!(mirror.heartbeat(id(1), NOW).await.unwrap(), Pulse::Offline);

    let equal = mirror
        .apply(&[online(6, 2)], Precedence::Newest, NOW)
        .await
        .unwrap();
    assert_eq!(
        (equal.differing, equal.ahead.len()),
        (1, 0),
        "an equal one heals"
    );
    assert_eq!(mirror.available(STALE_AT).await.unwrap(), [id(1)]);
}

async fn postgres_can_overrule(plan: Plan) {
    let (_app, mirror) = seeded(plan).await;
    mirror
        .apply(&[offline(6)], Precedence::Newest, NOW)
        .await
        .unwrap();
    mirror
        .apply(&[online(2, 1)], Precedence::Postgres, NOW)
        .await
        .unwrap();
    let shown = mirror.online().await.unwrap();
    assert_eq!((shown[0].mitra_id, shown[0].version), (id(1), 2));
}

async fn an_unseeded_mirror_answers_nothing(plan: Plan) {
    let app = plan.start().await;
    let mirror = mirror(&app);
    if let Some(valkey) = &app.context().valkey {
        let mut forget = cmd("DEL");
        forget.arg(valkey.key("mitras:seeded_at"));
        valkey.run::<()>(&forget).await.unwrap();
    }
    let not_seeded = |error: MirrorError| matches!(error, MirrorError::NotSeeded);
    assert!(not_seeded(mirror.available(STALE_AT).await.unwrap_err()));
    assert!(not_seeded(
        mirror.count_available(STALE_AT).await.unwrap_err()
    ));
    assert!(not_seeded(mirror.online().await.unwrap_err()));
    assert!(not_seeded(mirror.sighting(id(1)).await.unwrap_err()));
    assert!(not_seeded(mirror.heartbeat(id(1), NOW).await.unwrap_err()));
}

async fn only_a_flip_drops_the_snapshot(plan: Plan) {
    let (_app, mirror) = seeded(plan).await;
    let steps = [
        (online(1, 0), true),
        (online(2, 1), false),
        (online(3, 3), true),
        (online(4, 4), false),
        (online(5, 2), true),
        (offline(6), true),
        (offline(7), false),
    ];
    for (state, flips) in steps {
        mirror.keep_snapshot("kept".into()).await.unwrap();
        let version = state.mitra.version;
        let applied = mirror
            .apply(&[state], Precedence::Newest, NOW)
            .await
            .unwrap();
        assert_eq!(applied.flipped, flips, "version {version}");
        assert_eq!(
            mirror.snapshot().await.unwrap().is_none(),
            flips,
            "version {version}"
        );
    }
}

async fn what_is_removed_is_gone(plan: Plan) {
    let (_app, mirror) = seeded(plan).await;
    mirror
        .apply(&[online(5, 0)], Precedence::Newest, NOW)
        .await
        .unwrap();
    let known = HashSet::from([id(1).to_string()]);
    let nobody = Census::default();
    assert_eq!(mirror.strays(&nobody, &|_| false).await.unwrap(), known);
    assert!(
        mirror
            .strays(&nobody, &|name| known.contains(name))
            .await
            .unwrap()
            .is_empty()
    );
    mirror.remove(&[id(1).to_string()]).await.unwrap();
    assert!(mirror.strays(&nobody, &|_| false).await.unwrap().is_empty());
    assert!(mirror.online().await.unwrap().is_empty());

    let later = NOW + Duration::from_secs(60);
    mirror
        .apply(&[online(1, 0)], Precedence::Newest, later)
        .await
        .unwrap();
    assert_eq!(
        mirror.sighting(id(1)).await.unwrap().heard_at,
        Some(later),
        "nothing was kept"
    );
}

#[tokio::test]
async fn a_seed_that_was_emptied_under_it_does_not_count() {
    let app = plan().start().await;
    let mirror = mirror(&app);
    mirror.begin_seed(id(7)).await.unwrap();
    Keys::of(&app)
        .delete(&format!("mitras:seeding:{}", id(7)))
        .await;
    assert!(!mirror.end_seed(id(7), NOW).await.unwrap());
}
