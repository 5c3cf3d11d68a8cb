//! Offers to a mitra that is deactivated: gone at once, on every replica, and nobody else's loss.

use std::time::{Duration, Instant};

use halobestie_auth::testing::customer;
use halobestie_core::app::Role;
use halobestie_testkit::{TestApp, eventually};
use serde_json::json;
use uuid::Uuid;

use crate::world::{
    accept, ask, go_online, offers, online_mitra, read_request, request, set_active, socket, start,
    text,
};

#[tokio::test]
async fn the_open_offers_of_a_deactivated_mitra_are_withdrawn() {
    let app = start().await;
    let replica = app.replica().await;
    let (me, barred, other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let (mut at_barred, mut at_other) =
        (socket(&replica, &barred).await, socket(&app, &other).await);
    let open = request(&app, &me).await;
    at_barred.expect("offer.new").await;
    at_other.expect("offer.new").await;

    set_active(&app, barred.user_id, false).await;
    let gone = at_barred.expect("offer.gone").await;
    assert_eq!(gone["request_id"], open["id"]);
    assert!(offers(&replica, &barred).await.is_empty());
    accept(&app, &barred, &open).await.problem("not_found", 404);
    let told = at_other.so_far().await;
    assert!(
        told.iter().all(|event| event["type"] != "offer.gone"),
        "{told:?}"
    );
    accept(&app, &other, &open).await.expect(200);
}

#[tokio::test]
async fn when_the_preferred_mitra_is_deactivated_all_others_are_asked_at_once() {
    let app = start().await;
    let (me, preferred, other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let mut at_other = socket(&app, &other).await;
    let wish = json!({"package_id": "15m", "preferred_mitra_id": preferred.user_id});
    let open = ask(&app, &me, wish).await.expect(201).json();
    set_active(&app, preferred.user_id, false).await;
    // The clock stands still: its time alone would not have ended by itself.
    let asked = at_other.expect("offer.new").await;
    assert_eq!(asked["offer"]["request_id"], open["id"]);
}

#[tokio::test]
async fn who_may_work_again_is_asked_again() {
    let app = start().await;
    let (me, mitra, _other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let open = request(&app, &me).await;
    set_active(&app, mitra.user_id, false).await;
    eventually("the offer is withdrawn", || async {
        offers(&app, &mitra).await.is_empty()
    })
    .await;
    set_active(&app, mitra.user_id, true).await;
    go_online(&app, &mitra).await;
    assert_eq!(offers(&app, &mitra).await, [text(&open, "id")]);
}

/// The row of a deactivation alone: as if its process had died before it told anybody.
async fn deactivate_untold(app: &TestApp, mitra_id: Uuid) {
    const SQL: &str = "UPDATE mitras SET is_active = false, is_online = false, updated_at = $2
        WHERE mitra_id = $1";
    let now = app.clock.now();
    assert_eq!(app.database.execute(SQL, &[&mitra_id, &now]).await, 1);
}

#[tokio::test]
async fn a_deactivation_that_nobody_told_is_found_within_five_seconds() {
    let app = start().await;
    let (me, barred, _other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let mut at_barred = socket(&app, &barred).await;
    let open = request(&app, &me).await;
    at_barred.expect("offer.new").await;
    deactivate_untold(&app, barred.user_id).await;
    app.clock.advance(Duration::from_secs(5));
    assert_eq!(
        at_barred.expect("offer.gone").await["request_id"],
        open["id"]
    );
    assert_eq!(read_request(&app, &me, &open).await["offered_to"], 1);
}

#[tokio::test]
async fn a_restart_withdraws_what_nobody_has() {
    let app = start().await;
    let (me, barred, _other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let open = request(&app, &me).await;
    let plan = app.another();
    app.stop().await;
    let api = plan.clone().role(Role::Api).start().await;
    deactivate_untold(&api, barred.user_id).await;
    assert_eq!(read_request(&api, &me, &open).await["offered_to"], 2);
    // Its clock stands still: the start itself looks.
    let _worker = plan.role(Role::Worker).start().await;
    eventually("the offer is withdrawn", || async {
        read_request(&api, &me, &open).await["offered_to"] == 1
    })
    .await;
}

#[tokio::test]
async fn lost_news_of_offers_and_requests_are_found() {
    let app = start().await;
    let (me, mitra, _other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let (mut at_me, mut at_mitra) = (socket(&app, &me).await, socket(&app, &mitra).await);
    let open = request(&app, &me).await;
    at_mitra.expect("offer.new").await;
    let told = at_me.expect("request.updated").await;
    assert_eq!(told["request"]["offered_to"], 2);
    // The rows alone: as if the bus had lost what was told of them.
    let withdraw = "DELETE FROM chat_offers WHERE mitra_id = $1";
    app.database.execute(withdraw, &[&mitra.user_id]).await;
    let wave = "UPDATE chat_requests SET offered_to = 7";
    app.database.execute(wave, &[]).await;
    let sent = Instant::now();
    assert_eq!(
        at_mitra.expect("offer.gone").await["request_id"],
        open["id"]
    );
    let told = at_me.expect("request.updated").await;
    assert_eq!(told["request"]["offered_to"], 7);
    assert!(
        sent.elapsed() < Duration::from_secs(5),
        "{:?}",
        sent.elapsed()
    );
}
