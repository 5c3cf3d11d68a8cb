//! Offers: who is asked, when, and what becomes of it.

use std::time::Duration;

use halobestie_auth::testing::{customer, mitra};
use serde_json::json;

use crate::world::{
    accept, ask, decline, go_online, offers, online_mitra, read_request, request, socket, start,
    talk_of, text,
};

#[tokio::test]
async fn the_preferred_mitra_is_asked_alone_at_first() {
    let app = start().await;
    let (me, preferred, other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let mut at_other = socket(&app, &other).await;
    let wish = json!({"package_id": "15m", "preferred_mitra_id": preferred.user_id});
    let open = ask(&app, &me, wish).await.expect(201).json();
    assert_eq!(open["offered_to"], 1);
    assert_eq!(offers(&app, &preferred).await, [text(&open, "id")]);
    assert!(offers(&app, &other).await.is_empty());
    accept(&app, &other, &open).await.problem("not_found", 404);
    app.clock.advance(Duration::from_secs(19));
    assert!(offers(&app, &other).await.is_empty());
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(
        at_other.expect("offer.new").await["offer"]["request_id"],
        open["id"]
    );
    assert_eq!(read_request(&app, &me, &open).await["offered_to"], 2);
    accept(&app, &other, &open).await.expect(200);
}

#[tokio::test]
async fn when_the_preferred_mitra_declines_all_others_are_asked_at_once() {
    let app = start().await;
    let (me, preferred, other) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let wish = json!({"package_id": "15m", "preferred_mitra_id": preferred.user_id});
    let open = ask(&app, &me, wish).await.expect(201).json();
    decline(&app, &preferred, &open).await.expect(204);
    assert_eq!(offers(&app, &other).await, [text(&open, "id")]);
    assert!(offers(&app, &preferred).await.is_empty());
}

#[tokio::test]
async fn a_preferred_mitra_who_is_away_delays_nobody() {
    let app = start().await;
    let (me, preferred, other) = (
        customer(&app).await,
        mitra(&app).await,
        online_mitra(&app).await,
    );
    let wish = json!({"package_id": "15m", "preferred_mitra_id": preferred.user_id});
    let open = ask(&app, &me, wish).await.expect(201).json();
    assert_eq!(offers(&app, &other).await, [text(&open, "id")]);
}

#[tokio::test]
async fn a_mitra_that_comes_late_gets_the_offers_that_are_open() {
    let app = start().await;
    let me = customer(&app).await;
    let (_first, late, later) = (
        online_mitra(&app).await,
        mitra(&app).await,
        mitra(&app).await,
    );
    let mut at_later = socket(&app, &later).await;
    let open = request(&app, &me).await;
    accept(&app, &late, &open).await.problem("not_found", 404);
    assert!(offers(&app, &late).await.is_empty(), "it is offline");

    go_online(&app, &late).await;
    let mut at_late = socket(&app, &late).await;
    assert_eq!(at_late.next().await["offer"]["request_id"], open["id"]);
    let mut second = socket(&app, &late).await;
    assert_eq!(second.next().await["offer"]["request_id"], open["id"]);

    // One that is connected already is told, too, when it comes online.
    go_online(&app, &later).await;
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(
        at_later.expect("offer.new").await["offer"]["request_id"],
        open["id"]
    );
    assert_eq!(read_request(&app, &me, &open).await["offered_to"], 3);
}

#[tokio::test]
async fn a_declined_offer_is_not_listed_again() {
    let app = start().await;
    let (me, mitra) = (customer(&app).await, online_mitra(&app).await);
    let open = request(&app, &me).await;
    for _ in 0..2 {
        decline(&app, &mitra, &open).await.expect(204);
    }
    assert!(offers(&app, &mitra).await.is_empty());
    assert_eq!(
        socket(&app, &mitra).await.so_far().await,
        [] as [serde_json::Value; 0]
    );
    let stranger = online_mitra(&app).await;
    let nothing = json!({"id": me.user_id});
    decline(&app, &stranger, &nothing)
        .await
        .problem("not_found", 404);
}

#[tokio::test]
async fn accepting_again_as_the_winner_gives_the_same_session() {
    let app = start().await;
    let (me, winner, loser) = (
        customer(&app).await,
        online_mitra(&app).await,
        online_mitra(&app).await,
    );
    let open = request(&app, &me).await;
    let first = accept(&app, &winner, &open).await.expect(200).json();
    let again = accept(&app, &winner, &open).await.expect(200).json();
    assert_eq!(first["id"], again["id"]);
    accept(&app, &loser, &open)
        .await
        .problem("offer_taken", 409);
}

#[tokio::test]
async fn a_mitra_that_went_offline_cannot_accept() {
    let app = start().await;
    let (me, mitra) = (customer(&app).await, online_mitra(&app).await);
    let open = request(&app, &me).await;
    app.post("/api/mitra/status/offline")
        .bearer(&mitra.access_token)
        .send()
        .await
        .expect(200);
    accept(&app, &mitra, &open)
        .await
        .problem("offer_expired", 409);
}

#[tokio::test]
async fn a_mitra_takes_as_many_sessions_as_it_may_and_more_when_one_ends() {
    let app = crate::world::plan()
        .env("MITRA_MAX_SESSIONS_DEFAULT", "1")
        .start()
        .await;
    let (first, second) = (customer(&app).await, customer(&app).await);
    let (mitra, _other) = (online_mitra(&app).await, online_mitra(&app).await);
    let waiting = request(&app, &second).await;
    let talk = talk_of(&app, first, mitra).await;
    accept(&app, &talk.mitra, &waiting)
        .await
        .problem("capacity_reached", 409);
    talk.end(&app, &talk.mitra).await.expect(200);
    accept(&app, &talk.mitra, &waiting).await.expect(200);
}
