//! Sessions, requests and reports of everybody.

use halobestie_auth::testing;
use http::Method;
use serde_json::json;

use crate::server::{say, session, world};

#[tokio::test]
async fn a_session_is_shown_with_its_messages_and_the_reading_is_written_down() {
    let world = world().await;
    let (mitra, customer, id) = session(&world.app).await;
    say(&world.app, &customer, &id, "hello").await;
    say(&world.app, &mitra, &id, "good evening").await;
    let list = world.get("/api/admin/sessions?status=active").await;
    let item = &list["items"][0];
    assert_eq!(item["id"], json!(id));
    assert_eq!(
        item["customer"]["display_name"],
        json!(customer.display_name)
    );
    assert_eq!(item["remaining_seconds"], 900);
    assert!(item.get("messages").is_none());
    let path = format!("/api/admin/sessions/{id}?reason=a+complaint");
    let shown = world.get(&path).await;
    let bodies = shown["messages"].as_array().unwrap().iter();
    let bodies: Vec<_> = bodies.map(|it| it["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, ["hello", "good evening"]);
    assert!(!shown["events"].as_array().unwrap().is_empty());
    let deeds = world.deeds("session.read").await;
    assert_eq!(deeds.len(), 1);
    assert_eq!(deeds[0]["after"], json!({"reason": "a complaint"}));
    assert_eq!(deeds[0]["admin"]["id"], json!(world.viewer.user_id));
}

#[tokio::test]
async fn a_session_is_ended_once_and_both_sides_see_it() {
    let world = world().await;
    let (_, customer, id) = session(&world.app).await;
    let path = format!("/api/admin/sessions/{id}/end");
    for _ in 0..2 {
        let ended = world.act(Method::POST, &path, json!({})).await;
        let ended = ended.expect(200).json();
        assert_eq!(
            (&ended["status"], &ended["end_reason"]),
            (&json!("ended"), &json!("admin_ended"))
        );
    }
    let seen = world.app.get(&format!("/api/chat/sessions/{id}"));
    let seen = seen.bearer(&customer.access_token).send().await.expect(200);
    assert_eq!(seen.json()["end_reason"], "admin_ended");
    assert_eq!(world.deeds("session.end").await.len(), 1);
    let open = world.get("/api/admin/sessions?status=open").await;
    assert_eq!(open["items"], json!([]));
    let path = format!("/api/admin/sessions/{}/end", customer.user_id);
    world
        .act(Method::POST, &path, json!({}))
        .await
        .problem("not_found", 404);
}

#[tokio::test]
async fn a_request_tells_who_was_asked_who_declined_and_who_won_how_fast() {
    let world = world().await;
    let app = &world.app;
    let (winner, loser) = (testing::mitra(app).await, testing::mitra(app).await);
    for mitra in [&winner, &loser] {
        let online = app.post("/api/mitra/status/online");
        online.bearer(&mitra.access_token).send().await.expect(200);
    }
    let customer = testing::customer(app).await;
    let asked = app
        .post("/api/customer/chat/requests")
        .bearer(&customer.access_token);
    let asked = asked.json(&json!({"package_id": "15m"})).send().await;
    let id = asked.expect(201).json()["id"].as_str().unwrap().to_owned();
    let offer = |mitra: &testing::SignedIn, act: &str| {
        let path = format!("/api/mitra/chat/offers/{id}/{act}");
        app.post(&path).bearer(&mitra.access_token).send()
    };
    offer(&loser, "decline").await.expect(204);
    app.clock.advance(std::time::Duration::from_millis(2500));
    offer(&winner, "accept").await.expect(200);
    let list = world.get("/api/admin/requests?status=matched").await;
    assert_eq!(list["items"][0]["id"], json!(id));
    let shown = world.get(&format!("/api/admin/requests/{id}")).await;
    assert_eq!(shown["winner"]["id"], json!(winner.user_id));
    assert_eq!(shown["won_after_ms"], 2500);
    assert_eq!(
        (&shown["offered_to"], &shown["declined"]),
        (&json!(2), &json!(1))
    );
    let offers = shown["offers"].as_array().unwrap();
    let of = |who: &testing::SignedIn| {
        let id = json!(who.user_id);
        offers.iter().find(|it| it["mitra"]["id"] == id).unwrap()
    };
    assert_eq!(of(&winner)["won"], true);
    assert!(of(&loser)["declined_at"].is_string());
    let by_offer = format!("/api/admin/requests?mitra_id={}", loser.user_id);
    assert_eq!(
        world.get(&by_offer).await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_report_is_handled_with_its_evidence_at_hand() {
    let world = world().await;
    let (mitra, customer, session_id) = session(&world.app).await;
    say(&world.app, &mitra, &session_id, "something rude").await;
    let made = world
        .app
        .post(&format!("/api/chat/sessions/{session_id}/report"))
        .bearer(&customer.access_token)
        .json(&json!({"reason": "rude", "details": "see above"}));
    let id = made.send().await.expect(201).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let list = world.get("/api/admin/reports?status=open").await;
    assert_eq!(list["items"][0]["reported"]["id"], json!(mitra.user_id));
    assert_eq!(list["items"][0]["evidence"], json!([]));
    let path = format!("/api/admin/reports/{id}");
    let shown = world.get(&path).await;
    assert_eq!(shown["evidence"][0]["body"], "something rude");
    let change = json!({"status": "resolved", "note": "spoke to Ayu"});
    let changed = world
        .act(Method::PATCH, &path, change)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["status"], &changed["note"]),
        (&json!("resolved"), &json!("spoke to Ayu"))
    );
    assert_eq!(changed["handled_by"]["id"], json!(world.operator.user_id));
    let deeds = world.deeds("report.update").await;
    assert_eq!(deeds[0]["before"]["status"], "open");
    let wrong = world
        .act(Method::PATCH, &path, json!({"status": "gone"}))
        .await;
    wrong.problem("validation_failed", 422);
}

#[tokio::test]
async fn without_payments_the_list_is_empty_and_a_refund_says_so() {
    let world = world().await;
    assert_eq!(world.get("/api/admin/payments").await["items"], json!([]));
    let path = "/api/admin/payments/00000000-0000-7000-8000-000000000000/refund";
    let refund = world.act(Method::POST, path, json!({"reason": "x"})).await;
    refund.problem("module_off", 404);
}
