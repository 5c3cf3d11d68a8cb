//! Uploads in messages, over HTTP and WebSocket.

use serde_json::{Value, json};

use crate::world::{mp3, png, start, talk, text};

#[tokio::test]
async fn a_message_carries_what_was_uploaded() {
    let world = start().await;
    let talk = talk(&world.app).await;
    let mut at_mitra = world.app.ws(Some(&talk.mitra.access_token)).await;
    at_mitra.expect("hello").await;
    let picture = world.upload(&talk.customer, &png(4, 3, 400)).await;
    let sent = talk
        .send(&world.app, &talk.customer, "image", &picture)
        .await;
    let sent = sent.expect(201).json();
    assert_eq!(
        (&sent["kind"], &sent["body"]),
        (&json!("image"), &json!(""))
    );
    assert_eq!(sent["attachment"], picture);
    assert_eq!(at_mitra.expect("message.new").await["message"], sent);

    let recording = world.upload(&talk.mitra, &mp3(900)).await;
    at_mitra
        .send(
            &json!({"type": "message.send", "id": 1, "session_id": talk.id,
            "client_message_id": "r", "kind": "audio", "body": "listen",
            "attachment_id": recording["id"]}),
        )
        .await;
    let ack = at_mitra.expect("ack").await["message"].clone();
    assert_eq!(
        (&ack["body"], &ack["attachment"]),
        (&json!("listen"), &recording)
    );

    let call = world
        .app
        .get(&talk.path("/messages"))
        .bearer(&talk.customer.access_token);
    let history = call.send().await.expect(200).json();
    assert_eq!(history["items"], json!([sent, ack]));
    let plain = json!({"client_message_id": "t", "kind": "text", "body": "hai"});
    let call = world
        .app
        .post(&talk.path("/messages"))
        .bearer(&talk.mitra.access_token);
    let plain = call.json(&plain).send().await.expect(201).json();
    assert_eq!(plain.get("attachment"), None);
}

#[tokio::test]
async fn only_an_upload_of_the_senders_own_goes_and_into_one_session() {
    let world = start().await;
    let (talk, other) = (talk(&world.app).await, talk(&world.app).await);
    let mine = world.upload(&talk.customer, &png(1, 1, 100)).await;
    let foreign = world.upload(&talk.mitra, &png(1, 1, 100)).await;
    let unknown = json!({"id": "0199a1c0-0000-7000-8000-000000000000"});
    let refused = async |kind: &str, upload: &Value| {
        let sent = talk.send(&world.app, &talk.customer, kind, upload).await;
        sent.problem("validation_failed", 422)["errors"][0]["field"].clone()
    };
    assert_eq!(refused("image", &foreign).await, "attachment_id");
    assert_eq!(refused("image", &unknown).await, "attachment_id");
    assert_eq!(refused("audio", &mine).await, "attachment_id");
    assert_eq!(refused("text", &mine).await, "attachment_id");
    talk.send(&world.app, &talk.customer, "image", &mine)
        .await
        .expect(201);

    let intruder = talk.send(&world.app, &other.customer, "image", &mine).await;
    intruder.problem("not_found", 404);
    // The same mitra may talk to several; what one of them sent is no other's to see.
    let id: uuid::Uuid = other.id.parse().unwrap();
    let mitra_id = talk.mitra.user_id;
    world
        .app
        .database
        .execute(
            "UPDATE chat_sessions SET mitra_id = $2 WHERE id = $1",
            &[&id, &mitra_id],
        )
        .await;
    talk.send(&world.app, &talk.mitra, "image", &foreign)
        .await
        .expect(201);
    let elsewhere = other.send(&world.app, &talk.mitra, "image", &foreign).await;
    elsewhere.problem("validation_failed", 422);
}

#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again_and_nothing_goes_into_a_session_that_is_over() {
    let world = start().await;
    let talk = talk(&world.app).await;
    let (first, second) = (
        world.upload(&talk.customer, &png(1, 1, 100)).await,
        world.upload(&talk.customer, &png(1, 1, 100)).await,
    );
    let send = |upload| talk.send(&world.app, &talk.customer, "image", upload);
    let sent = send(&first).await.expect(201).json();
    assert_eq!(send(&first).await.expect(200).json(), sent);
    let end = world
        .app
        .post(&talk.path("/end"))
        .bearer(&talk.mitra.access_token);
    end.send().await.expect(200);
    assert_eq!(send(&first).await.expect(200).json(), sent);
    send(&second).await.problem("session_not_active", 409);
    world
        .read(&talk.mitra, &second)
        .await
        .problem("not_found", 404);
    assert_eq!(text(&sent["attachment"], "url"), text(&first, "url"));
}
