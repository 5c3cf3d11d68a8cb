//! Seeding and reseeding: exact afterwards, and nobody missing meanwhile.

use std::time::Duration;

use futures_util::FutureExt;
use halobestie_testkit::{Plan, ValkeyProcess, eventually};

use crate::keys::{Keys, drift};
use crate::support::*;

const RESEED: &str = "valkey-online-mirror";

on_both_mirrors! {
    the_start_seeds_before_it_listens,
    a_reseed_shows_what_nobody_told,
    a_postgres_that_was_set_back_is_followed,
    a_call_that_was_dropped_halfway_is_made_good,
}

async fn the_start_seeds_before_it_listens(plan: Plan) {
    let app = plan.start().await;
    insert_online(&app, 20).await;
    let app = app.restart().await;
    assert_eq!(
        beacon(&app).await["source"],
        "valkey",
        "the mirror is believed from the start"
    );
    assert_eq!(available(&app).await.len(), 20);
}

async fn a_reseed_shows_what_nobody_told(plan: Plan) {
    let app = plan.start().await;
    let (full, gone) = (online_mitra(&app).await, online_mitra(&app).await);
    commit_load(&app, full.user_id, 3).await;
    const GONE: &str = "UPDATE mitras SET is_online = false WHERE mitra_id = $1";
    app.database.execute(GONE, &[&gone.user_id]).await;
    insert_online(&app, 2).await;
    assert_eq!(
        app.run_sweep(RESEED).await.changed,
        4,
        "that much had drifted"
    );
    assert_eq!(available(&app).await.len(), 2);
    assert_eq!(app.run_sweep(RESEED).await.changed, 0);
}

async fn a_postgres_that_was_set_back_is_followed(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    for in_use in [1, 2, 3] {
        set_load(&app, mitra.user_id, in_use).await;
    }
    // As after the restore of a backup: an older row, and the mirror has seen newer ones.
    const SET_BACK: &str = "UPDATE mitras SET version = 1, max_sessions = 7 WHERE mitra_id = $1";
    app.database.execute(SET_BACK, &[&mitra.user_id]).await;
    app.run_sweep(RESEED).await;
    assert!(
        available(&app).await.contains(&mitra.user_id),
        "three of seven"
    );
    set_load(&app, mitra.user_id, 7).await;
    assert!(
        available(&app).await.is_empty(),
        "and its next changes are shown"
    );
}

async fn a_call_that_was_dropped_halfway_is_made_good(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    commit_load(&app, mitra.user_id, 3).await;
    // As when a client goes away between the commit and the mirror.
    assert!(
        port(&app)
            .load_changed(mitra.user_id)
            .now_or_never()
            .is_none()
    );
    eventually("the capacity is shown", || async {
        available(&app).await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_reseed_heals_every_kind_of_drift() {
    let app = start().await;
    let (one, two) = (online_mitra(&app).await, online_mitra(&app).await);
    let (one, two) = (one.user_id.to_string(), two.user_id.to_string());
    let keys = Keys::of(&app);
    keys.run::<()>("SREM", "mitras:online", &[&one]).await;
    keys.run::<()>("SADD", "mitras:online", &["not an id"])
        .await;
    keys.run::<()>(
        "SADD",
        "mitras:online",
        &["00000000-0000-7000-8000-000000000000"],
    )
    .await;
    keys.run::<()>("SADD", "mitras:deactivated", &[&two]).await;
    keys.write(&format!("mitra:capacity:{one}"), "many").await;
    keys.delete(&format!("mitra:capacity:{two}")).await;
    keys.run::<()>("HDEL", "mitras:max_sessions", &[&one]).await;
    keys.run::<()>("HSET", "mitras:max_sessions", &["somebody", "9"])
        .await;
    keys.write(&format!("mitra:heartbeat:{one}"), "yesterday")
        .await;
    keys.delete(&format!("mitra:heartbeat:{two}")).await;
    keys.run::<()>("ZREM", "mitras:free", &[&two]).await;
    keys.run::<()>("ZADD", "mitras:free", &["7", "who is this"])
        .await;

    assert_eq!(
        app.run_sweep(RESEED).await.changed,
        6,
        "two mitras and four strangers"
    );
    assert_eq!(drift(&app).await, Vec::<String>::new());
    assert_eq!(
        available(&app).await.len(),
        2,
        "lost heartbeats count from now"
    );
    assert!(metric(&app, "halobestie_availability_drift_healed_total").await >= 5.0);
}

#[tokio::test]
async fn keys_of_the_wrong_type_are_healed() {
    let valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let mitra = online_mitra(&app).await;
    let keys = Keys::of(&app);
    let capacity = format!("mitra:capacity:{}", mitra.user_id);
    let beat = format!("mitra:heartbeat:{}", mitra.user_id);
    let all = [
        "mitras:online",
        "mitras:deactivated",
        "mitras:free",
        "mitras:max_sessions",
        "mitras:version",
    ];
    for key in all
        .into_iter()
        .chain([capacity.as_str(), beat.as_str(), "mitras:seeded_at"])
    {
        keys.delete(key).await;
        keys.run::<()>("LPUSH", key, &["of another type"]).await;
        let found = available(&app).await.len();
        // A heartbeat that cannot be read is lost, and the mitra silent until the next one.
        assert!(
            found == 1 || (found == 0 && key == beat),
            "with {key} broken: {found}"
        );
        app.run_sweep(RESEED).await;
        assert_eq!(drift(&app).await, Vec::<String>::new(), "{key}");
        assert_eq!(available(&app).await.len(), 1, "{key}");
    }
}

#[tokio::test]
async fn a_reseed_moves_heartbeats_forward_only() {
    let app = start().await;
    let (ahead, behind) = (online_mitra(&app).await, online_mitra(&app).await);
    app.clock.advance(Duration::from_secs(30));
    heartbeat(&app, &ahead).await.expect(200);
    let heard = app.clock.now();
    let keys = Keys::of(&app);
    const HEARD: &str = "UPDATE mitras SET last_heartbeat_at = $2 WHERE mitra_id = $1";
    app.database
        .execute(HEARD, &[&behind.user_id, &heard])
        .await;
    app.clock.advance(Duration::from_secs(30));
    app.run_sweep(RESEED).await;
    for mitra in [&ahead, &behind] {
        let beat = keys
            .text(&format!("mitra:heartbeat:{}", mitra.user_id))
            .await;
        assert_eq!(beat, Some(heard.to_string()));
    }
}

#[tokio::test]
async fn nobody_is_missing_while_the_mirror_is_reseeded() {
    let app = start().await;
    insert_online(&app, 2500).await;
    app.run_sweep(RESEED).await;
    let reseeds = async {
        for _ in 0..5 {
            app.run_sweep(RESEED).await;
        }
    };
    let looks = async {
        let mut looks = 0;
        loop {
            assert_eq!(available(&app).await.len(), 2500);
            looks += 1;
            if looks > 1000 {
                return;
            }
        }
    };
    let before = app.statement_count();
    tokio::select! { () = reseeds => {}, () = looks => {} }
    // Six pages, a count of sessions for each, and the record, five times: Valkey gave all looks.
    assert!(
        app.statement_count() - before <= 5 * 15,
        "{}",
        app.statement_count() - before
    );
}

#[tokio::test]
async fn writes_during_a_reseed_are_not_undone() {
    let app = start().await;
    insert_online(&app, 1000).await;
    let mut mitras = Vec::new();
    for _ in 0..4 {
        mitras.push(online_mitra(&app).await);
    }
    let reseeds = async {
        for _ in 0..10 {
            app.run_sweep(RESEED).await;
        }
    };
    let changes = async {
        for round in 0..10 {
            for mitra in &mitras {
                go_offline(&app, mitra).await;
                set_load(&app, mitra.user_id, round % 4).await;
                go_online(&app, mitra).await;
            }
        }
        for mitra in &mitras[..2] {
            go_offline(&app, mitra).await;
        }
    };
    tokio::join!(reseeds, changes);
    assert_eq!(drift(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn ten_thousand_mitras_are_seeded_in_less_than_a_hundred_round_trips() {
    const ASKED: &str = "halobestie_valkey_command_seconds_count";
    let valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    insert_online(&app, 10_000).await;
    let (statements, asked) = (app.statement_count(), metric(&app, ASKED).await);
    assert_eq!(app.run_sweep(RESEED).await.changed, 10_000);

    // Twenty pages and an empty one, a count of sessions for each of the twenty, the record of the run.
    let sent = app.statement_count() - statements;
    assert!(sent <= 42 + BACKGROUND_STATEMENTS, "{sent} statements");
    // Forty looks, forty runs of the script, and the beginning, the strays and the end.
    let asked = metric(&app, ASKED).await - asked;
    assert!(asked <= 90.0, "{asked} round trips");

    let before = metric(&app, ASKED).await;
    assert_eq!(app.run_sweep(RESEED).await.changed, 0);
    let asked = metric(&app, ASKED).await - before;
    assert!(
        asked <= 50.0,
        "{asked} round trips though nothing is written"
    );
}

#[tokio::test]
async fn a_mirror_that_is_found_damaged_is_reseeded_by_itself() {
    let app = start().await;
    let mitra = online_mitra(&app).await;
    let capacity = format!("mitra:capacity:{}", mitra.user_id);
    Keys::of(&app).delete(&capacity).await;
    assert_eq!(
        available(&app).await.len(),
        1,
        "Postgres answers where the mirror cannot"
    );
    eventually("the capacity is back", || async {
        Keys::of(&app).exists(&capacity).await
    })
    .await;
}
