//! Who is free: the sorted set beside the promised keys, what it answers, and when it is not believed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use halobestie_auth::testing;
use halobestie_availability::mirror::{MemoryMirror, Mirror, Precedence};
use halobestie_core::Timestamp;
use halobestie_testkit::{Plan, TestApp, eventually};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use crate::faults::is_exact;
use crate::keys::{Keys, drift};
use crate::mirrors::{NOW, id, mirror, seeded, state};
use crate::support::*;

on_both_mirrors! {
    a_crowd_is_judged_as_a_few_are,
}

const STALE: Duration = Duration::from_secs(90);

/// More than are confirmed one by one.
async fn a_crowd_is_judged_as_a_few_are(plan: Plan) {
    let (_app, mirror) = seeded(plan).await;
    for crowd in [40, 1500_u128] {
        let states: Vec<_> = (0..crowd)
            .map(|number| {
                let mut state = state(id(number), 1, (number % 5).try_into().unwrap());
                state.mitra.last_heartbeat_at = None;
                state.mitra.is_online = number % 7 != 0;
                state.mitra.is_active = number % 11 != 0;
                state
            })
            .collect();
        let heard_at = NOW - STALE;
        mirror
            .apply(&states, Precedence::Newest, heard_at)
            .await
            .unwrap();
        let fresh = |number: u128| number.is_multiple_of(2);
        for number in (0..crowd).filter(|number| fresh(*number)) {
            mirror.heartbeat(id(number), NOW).await.unwrap();
        }
        let expected: BTreeSet<Uuid> = (0..crowd)
            .filter(|it| fresh(*it) && it % 5 < 3 && it % 7 != 0 && it % 11 != 0)
            .map(id)
            .collect();
        let found = mirror.available(NOW - STALE).await.unwrap();
        assert_eq!(found.len(), expected.len(), "nobody twice");
        assert_eq!(BTreeSet::from_iter(found), expected);
        let counted = mirror.count_available(NOW - STALE).await.unwrap();
        assert_eq!(counted, expected.len() as u64);
        assert_eq!(mirror.count_available(NOW).await.unwrap(), 0);
    }
}

/// Something that happens to one of three mitras.
#[derive(Clone, Debug)]
enum Event {
    Shown {
        who: u128,
        version: i64,
        is_online: bool,
        is_active: bool,
        in_use: u32,
        heard: Option<i64>,
    },
    Heartbeat {
        who: u128,
    },
    Removed {
        who: u128,
    },
}

fn event() -> impl Strategy<Value = (u64, Event)> {
    let heard = prop::option::of(-100_000..100_000_i64);
    let shown = (
        0..3_u128,
        1..6_i64,
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.8),
        0..5_u32,
        heard,
    );
    let shown =
        shown.prop_map(
            |(who, version, is_online, is_active, in_use, heard)| Event::Shown {
                who,
                version,
                is_online,
                is_active,
                in_use,
                heard,
            },
        );
    let event = prop_oneof![
        4 => shown,
        3 => (0..3_u128).prop_map(|who| Event::Heartbeat { who }),
        1 => (0..3_u128).prop_map(|who| Event::Removed { who }),
    ];
    (0..40_000_u64, event)
}

/// What happened to a mirror, and what it says now, as text.
async fn happen(mirror: &dyn Mirror, now: Timestamp, event: &Event) -> String {
    let outcome = match event {
        Event::Shown {
            who,
            version,
            is_online,
            is_active,
            in_use,
            heard,
        } => {
            let mut state = state(id(*who), *version, *in_use);
            state.mitra.is_online = *is_online;
            state.mitra.is_active = *is_active;
            state.mitra.last_heartbeat_at =
                heard.map(|ms| Timestamp::from_unix_ms(now.unix_ms() + ms));
            let differed = mirror.differing(vec![state.clone()]).await.unwrap();
            let applied = mirror
                .apply(std::slice::from_ref(&state), Precedence::Newest, now)
                .await
                .unwrap();
            let differing = mirror.differing(vec![state]).await.unwrap();
            // Otherwise a reseed would write it again and again, or would never write it. A lost
            // heartbeat counts from now, and one from a clock that is ahead from the next time on.
            let is_from_ahead = heard.is_some_and(|ms| ms > 0);
            assert!(differing.is_empty() || !applied.ahead.is_empty() || is_from_ahead);
            assert!(applied.differing == 0 || !differed.is_empty());
            format!("{applied:?} {differed:?} {differing:?}")
        }
        Event::Heartbeat { who } => format!("{:?}", mirror.heartbeat(id(*who), now).await.unwrap()),
        Event::Removed { who } => {
            mirror.remove(&[id(*who).to_string()]).await.unwrap();
            String::new()
        }
    };
    let mut available = mirror.available(now - STALE).await.unwrap();
    available.sort_unstable();
    let counted = mirror.count_available(now - STALE).await.unwrap();
    let mut online = mirror.online().await.unwrap();
    online.sort_unstable_by_key(|it| it.mitra_id);
    let mut sightings = Vec::new();
    for who in 0..3 {
        sightings.push(mirror.sighting(id(who)).await.unwrap());
    }
    format!("{outcome} {available:?} {counted} {online:?} {sightings:?}")
}

#[tokio::test]
async fn whatever_happens_both_mirrors_say_the_same() {
    const STORIES: u32 = 60;
    let app = start().await;
    let mut runner = TestRunner::default();
    let stories = prop::collection::vec(event(), 1..30);
    for _ in 0..STORIES {
        let story = stories.new_tree(&mut runner).unwrap().current();
        let twins: [Arc<dyn Mirror>; 2] = [mirror(&app), Arc::new(MemoryMirror::default())];
        for twin in &twins {
            let everyone: Vec<String> = (0..3).map(|who| id(who).to_string()).collect();
            twin.remove(&everyone).await.unwrap();
            twin.begin_seed(id(9)).await.unwrap();
            assert!(twin.end_seed(id(9), NOW).await.unwrap());
        }
        let mut now = NOW;
        for (pause_ms, event) in &story {
            now = now + Duration::from_millis(*pause_ms);
            let in_valkey = happen(&*twins[0], now, event).await;
            let in_memory = happen(&*twins[1], now, event).await;
            assert_eq!(in_valkey, in_memory, "{event:?} in {story:?}");
        }
    }
}

/// Makes a mitra busy and free again, so that its place among the free follows from its heartbeat's
/// key alone.
async fn place_anew(mirror: &dyn Mirror, version: i64) {
    for (version, in_use) in [(version, 3), (version + 1, 0)] {
        let mut state = state(id(1), version, in_use);
        state.mitra.last_heartbeat_at = None;
        mirror
            .apply(&[state], Precedence::Newest, NOW)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn the_free_stand_at_their_heartbeats_whenever_those_were() {
    let (app, mirror) = seeded(plan()).await;
    let keys = Keys::of(&app);
    let beat = format!("mitra:heartbeat:{}", id(1));
    let by_hand = [
        "1970-01-01T00:00:00.000Z",
        "1999-12-31T23:59:59.999Z",
        "2000-02-29T12:00:00.001Z",
        "2024-02-29T23:59:59Z",
        "2024-03-01T00:00:00Z",
        "2026-01-15T15:00:00.5+07:00",
        "2026-01-15T08:00:00.123456+00:00",
        "2025-12-31T20:30:00-03:30",
        "2100-03-01T00:00:00.000Z",
    ];
    for (round, text) in (1..).zip(by_hand) {
        keys.write(&beat, text).await;
        place_anew(&*mirror, round * 2).await;
        let free_at = keys.free().await[&id(1).to_string()];
        let heard = Timestamp::parse(text).unwrap().unix_ms();
        assert_eq!(free_at, heard, "{text}");
        assert_eq!(keys.text(&beat).await.as_deref(), Some(text), "it is kept");
    }
    for (round, lost) in (100..).zip(["yesterday", "", "2026-01-15", "2026-01-15T08:00:00"]) {
        keys.write(&beat, lost).await;
        place_anew(&*mirror, round * 2).await;
        assert_eq!(
            keys.free().await[&id(1).to_string()],
            NOW.unix_ms(),
            "{lost:?}"
        );
    }
}

#[tokio::test]
async fn what_is_changed_by_hand_counts_while_there_are_few() {
    let app = start().await;
    let keys = Keys::of(&app);
    let (silent, busy) = (online_mitra(&app).await, online_mitra(&app).await);
    let (refused, free) = (online_mitra(&app).await, online_mitra(&app).await);
    keys.write(
        &format!("mitra:heartbeat:{}", silent.user_id),
        "2026-01-15T07:58:00.000Z",
    )
    .await;
    keys.write(&format!("mitra:capacity:{}", busy.user_id), "3")
        .await;
    keys.run::<()>(
        "SADD",
        "mitras:deactivated",
        &[&refused.user_id.to_string()],
    )
    .await;
    assert_eq!(available(&app).await, BTreeSet::from([free.user_id]));
    assert_eq!(beacon(&app).await["available_mitras"], 1);
}

/// Deletes a key behind the server's back, and sees to it that nobody is misled.
async fn survives_the_loss_of(key: &str) {
    let app = start().await;
    let (free, busy) = (online_mitra(&app).await, online_mitra(&app).await);
    let offline = testing::mitra(&app).await;
    set_load(&app, busy.user_id, 3).await;
    Keys::of(&app).delete(key).await;

    assert_eq!(
        available(&app).await,
        BTreeSet::from([free.user_id]),
        "{key}"
    );
    assert_eq!(port(&app).count_available().await.unwrap(), 1, "{key}");
    assert!(port(&app).reachable(free.user_id).await.unwrap(), "{key}");
    let beats = async |mitra| heartbeat(&app, mitra).await.expect(200).json()["online"].clone();
    assert_eq!(beats(&free).await, true, "{key}");
    assert_eq!(beats(&offline).await, false, "{key}");
    mended(&app).await;
    assert!(is_online_in_postgres(&app, free.user_id).await);
}

async fn mended(app: &TestApp) {
    eventually("the mirror is exact", || is_exact(app)).await;
    assert_eq!(drift(app).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_free_deleted_by_hand_mislead_nobody() {
    survives_the_loss_of("mitras:free").await;
}

#[tokio::test]
async fn the_online_deleted_by_hand_mislead_nobody() {
    survives_the_loss_of("mitras:online").await;
}

#[tokio::test]
async fn the_mark_of_a_whole_mirror_deleted_by_hand_misleads_nobody() {
    survives_the_loss_of("mitras:seeded_at").await;
}

#[tokio::test]
async fn a_heartbeat_sees_that_somebody_emptied_the_online() {
    let app = start().await;
    let mitra = online_mitra(&app).await;
    let keys = Keys::of(&app);
    keys.delete("mitras:online").await;
    assert_eq!(
        heartbeat(&app, &mitra).await.expect(200).json()["online"],
        true
    );
    mended(&app).await;
    keys.delete("mitras:online").await;
    assert!(port(&app).reachable(mitra.user_id).await.unwrap());
    mended(&app).await;
}
