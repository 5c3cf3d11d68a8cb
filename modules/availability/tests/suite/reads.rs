//! Who can be asked: reachable, free, and how many round trips it takes to know.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use halobestie_core::pg::Query;
use halobestie_core::ports::Seat;
use halobestie_testkit::{Plan, ValkeyProcess};

use crate::support::*;

on_both_mirrors! {
    available_is_reachable_and_below_capacity,
    capacity_follows_the_sessions,
    capacity_is_right_whoever_counts_last,
    a_seat_is_locked_until_the_transaction_ends,
}

async fn available_is_reachable_and_below_capacity(plan: Plan) {
    let app = plan.start().await;
    let (silent, full) = (online_mitra(&app).await, online_mitra(&app).await);
    let (free, gone) = (online_mitra(&app).await, online_mitra(&app).await);
    let off_duty = online_mitra(&app).await;
    app.clock.advance(Duration::from_secs(60));
    for mitra in [&full, &free, &gone, &off_duty] {
        heartbeat(&app, mitra).await.expect(200);
    }
    app.clock.advance(Duration::from_secs(60));
    set_load(&app, full.user_id, 3).await;
    set_load(&app, free.user_id, 2).await;
    go_offline(&app, &gone).await;
    deactivate(&app, off_duty.user_id).await;
    app.run_sweep("valkey-online-mirror").await;

    assert_eq!(available(&app).await, BTreeSet::from([free.user_id]));
    assert_eq!(port(&app).count_available().await.unwrap(), 1);
    for (mitra, is_reachable) in [
        (&silent, false),
        (&full, true),
        (&free, true),
        (&gone, false),
        (&off_duty, false),
    ] {
        assert_eq!(
            port(&app).reachable(mitra.user_id).await.unwrap(),
            is_reachable
        );
    }
}

async fn capacity_follows_the_sessions(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    for (in_use, is_available) in [
        (1, true),
        (2, true),
        (3, false),
        (4, false),
        (2, true),
        (0, true),
    ] {
        set_load(&app, mitra.user_id, in_use).await;
        assert_eq!(
            available(&app).await.contains(&mitra.user_id),
            is_available,
            "{in_use}"
        );
        assert_eq!(status(&app, &mitra).await["capacity"]["in_use"], in_use);
    }
}

async fn capacity_is_right_whoever_counts_last(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    for round in 0..5 {
        let last = if round % 2 == 0 { 3 } else { 0 };
        join_all((0..8).map(|_| async {
            set_load(&app, mitra.user_id, last).await;
        }))
        .await;
        assert_eq!(available(&app).await.is_empty(), last == 3, "round {round}");
    }
}

async fn a_seat_is_locked_until_the_transaction_ends(plan: Plan) {
    let app = plan.start().await;
    let mitra = online_mitra(&app).await;
    let mut client = app.context().db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let seat = port(&app).lock_seat(&tx, mitra.user_id).await.unwrap();
    assert_eq!(
        seat,
        Some(Seat {
            max_sessions: 3,
            is_online: true,
            is_active: true
        })
    );

    const FREE: &str = "SELECT mitra_id FROM mitras WHERE mitra_id = $1 FOR UPDATE SKIP LOCKED";
    assert!(
        app.database.rows(FREE, &[&mitra.user_id]).await.is_empty(),
        "somebody has it"
    );
    tx.commit().await.unwrap();
    assert_eq!(app.database.rows(FREE, &[&mitra.user_id]).await.len(), 1);

    let mut other = app.context().db.client().await.unwrap();
    let tx = other.begin().await.unwrap();
    let nobody = app.context().entropy.uuid(&app.clock);
    assert_eq!(port(&app).lock_seat(&tx, nobody).await.unwrap(), None);
    assert!(tx.rows("SELECT 1", &[]).await.is_ok());
}

#[tokio::test]
async fn finding_and_counting_take_two_round_trips_at_most() {
    const ASKED: &str = "halobestie_valkey_command_seconds_count";
    let valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    for (more, in_all) in [(900, 900), (2_600, 3_500)] {
        insert_online(&app, more).await;
        app.run_sweep("valkey-online-mirror").await;
        app.settle().await;
        let (statements, asked) = (app.statement_count(), metric(&app, ASKED).await);
        assert_eq!(available(&app).await.len(), in_all);
        assert_eq!(port(&app).count_available().await.unwrap(), in_all as u64);
        let asked = metric(&app, ASKED).await - asked;
        assert!(asked <= 4.0, "{asked} round trips for {in_all}");
        assert!(
            app.statement_count() - statements <= BACKGROUND_STATEMENTS,
            "Valkey answers alone"
        );
    }
}

#[tokio::test]
async fn postgres_gives_the_same_answers() {
    let mut valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let (free, full) = (online_mitra(&app).await, online_mitra(&app).await);
    let (gone, off_duty) = (online_mitra(&app).await, online_mitra(&app).await);
    set_load(&app, full.user_id, 3).await;
    go_offline(&app, &gone).await;
    deactivate(&app, off_duty.user_id).await;
    app.run_sweep("valkey-online-mirror").await;
    let answers = || async {
        let mut answers = vec![available(&app).await == BTreeSet::from([free.user_id])];
        for mitra in [&free, &full, &gone, &off_duty] {
            answers.push(port(&app).reachable(mitra.user_id).await.unwrap());
        }
        answers
    };
    let right = vec![true, true, true, false, false];
    assert_eq!(answers().await, right);
    valkey.kill().await;
    assert_eq!(answers().await, right);
    assert!(metric(&app, "halobestie_availability_fallback_reads_total").await > 0.0);
}

#[tokio::test]
async fn postgres_forgives_the_delay_with_which_it_learns_of_heartbeats() {
    let mut valkey = ValkeyProcess::start().await;
    let app = plan().valkey_at(&valkey.url()).start().await;
    let mitra = online_mitra(&app).await;
    valkey.kill().await;
    // 90 s of staleness and 60 s of delay.
    app.clock.advance(Duration::from_secs(149));
    assert!(port(&app).reachable(mitra.user_id).await.unwrap());
    app.clock.advance(Duration::from_secs(1));
    assert!(!port(&app).reachable(mitra.user_id).await.unwrap());
    assert!(available(&app).await.is_empty());
}
