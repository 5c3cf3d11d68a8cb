//! Offers to a mitra that is deactivated: gone at once, on every replica, and nobody else's loss.

use halobestie_auth::testing::customer;
use halobestie_testkit::eventually;
use serde_json::json;

use crate::world::{
    accept, ask, go_online, offers, online_mitra, request, set_active, socket, start, text,
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
