//! The whole story, over HTTP and sockets.

use halobestie_auth::testing::customer;
use serde_json::json;

use crate::world::{accept, ask, online_mitra, socket, start, text};

#[tokio::test]
async fn a_customer_asks_a_mitra_accepts_they_talk_and_it_ends() {
    let app = start().await;
    let (customer, mitra) = (customer(&app).await, online_mitra(&app).await);
    let mut at_customer = socket(&app, &customer).await;
    let mut at_mitra = socket(&app, &mitra).await;

    let wish = json!({"package_id": "15m", "topic": "work"});
    let request = ask(&app, &customer, wish).await.expect(201).json();
    assert_eq!(
        (&request["status"], &request["offered_to"]),
        (&json!("searching"), &json!(1))
    );

    let offer = at_mitra.expect("offer.new").await["offer"].clone();
    assert_eq!(offer["request_id"], request["id"]);
    assert_eq!(offer["topic"], "work");
    assert_eq!(
        offer["customer"],
        json!({"display_name": customer.display_name})
    );
    assert_eq!(offer["package"]["minutes"], 15);

    let session = accept(&app, &mitra, &request).await.expect(200).json();
    assert_eq!(session["status"], "active");
    assert_eq!(session["remaining_seconds"], 900);
    assert_eq!(session["mitra"]["id"], mitra.user_id.to_string());
    assert_eq!(session["customer"]["id"], customer.user_id.to_string());
    let started = at_customer.expect("session.updated").await;
    assert_eq!(
        (&started["session"]["id"], &started["reason"]),
        (&session["id"], &json!("started"))
    );
    let matched =
        at_customer.expect_where("request.updated", |it| it["request"]["status"] == "matched");
    assert_eq!(matched.await["request"]["session_id"], session["id"]);
    let gone = at_mitra.expect("offer.gone").await;
    assert_eq!(
        (&gone["request_id"], &gone["reason"]),
        (&request["id"], &json!("taken"))
    );

    let id = text(&session, "id");
    let says = |mark: &str| {
        json!({"type": "message.send", "id": mark, "session_id": id,
        "client_message_id": mark, "kind": "text", "body": "hai"})
    };
    at_customer.send(&says("one")).await;
    let ack = at_customer.expect("ack").await;
    assert_eq!(
        (&ack["id"], &ack["message"]["seq"]),
        (&json!("one"), &json!(1))
    );
    let heard = at_mitra.expect("message.new").await;
    assert_eq!(heard["message"], ack["message"]);
    at_mitra.send(&says("two")).await;
    let heard = at_customer
        .expect_where("message.new", |it| it["message"]["seq"] == 2)
        .await;
    assert_eq!(heard["message"]["sender_role"], "mitra");

    at_mitra
        .send(&json!({"type": "typing", "session_id": id, "typing": true}))
        .await;
    let typing = at_customer.expect("typing").await;
    assert_eq!(typing["user_id"], mitra.user_id.to_string());
    at_customer
        .send(&json!({"type": "message.read", "session_id": id, "seq": 2}))
        .await;
    let read = at_mitra.expect("message.read").await;
    assert_eq!(
        (&read["seq"], &read["reader_id"]),
        (&json!(2), &json!(customer.user_id))
    );

    let path = format!("/api/chat/sessions/{id}/end");
    let ended = app
        .post(&path)
        .bearer(&customer.access_token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&ended["status"], &ended["end_reason"]),
        (&json!("ended"), &json!("customer_ended"))
    );
    assert_eq!(ended["remaining_seconds"], 0);
    let told = at_mitra
        .expect_where("session.updated", |it| it["session"]["status"] == "ended")
        .await;
    assert_eq!(told["reason"], "customer_ended");
    at_mitra.send(&says("three")).await;
    assert_eq!(at_mitra.expect("error").await["code"], "session_not_active");
}
