//! Messages over HTTP: what may be sent, history, read marks, limits.

use halobestie_testkit::TestApp;
use serde_json::json;

use crate::world::{Talk, plan, seqs, socket, start, talk};

#[tokio::test]
async fn the_same_message_again_is_the_first_one() {
    let app = start().await;
    let talk = talk(&app).await;
    let first = talk
        .send(&app, &talk.customer, "a")
        .await
        .expect(201)
        .json();
    assert_eq!(first["seq"], 1);
    assert_eq!(first["sender_id"], talk.customer.user_id.to_string());
    assert_eq!(
        talk.send(&app, &talk.customer, "a")
            .await
            .expect(200)
            .json(),
        first
    );
    // The other side's marks are its own.
    assert_eq!(
        talk.send(&app, &talk.mitra, "a").await.expect(201).json()["seq"],
        2
    );
    talk.end(&app, &talk.mitra).await.expect(200);
    assert_eq!(
        talk.send(&app, &talk.customer, "a")
            .await
            .expect(200)
            .json(),
        first
    );
}

#[tokio::test]
async fn what_is_sent_is_checked() {
    let app = start().await;
    let talk = talk(&app).await;
    let wrong = [
        (
            json!({"client_message_id": "1", "kind": "text", "body": ""}),
            "body",
        ),
        (
            json!({"client_message_id": "1", "kind": "text", "body": "x".repeat(4001)}),
            "body",
        ),
        (
            json!({"client_message_id": "1", "kind": "text", "body": "\0"}),
            "body",
        ),
        (
            json!({"client_message_id": "", "kind": "text", "body": "x"}),
            "client_message_id",
        ),
        (
            json!({"client_message_id": "1", "kind": "video", "body": "x"}),
            "kind",
        ),
        (
            json!({"client_message_id": "1", "kind": "image", "body": "x"}),
            "attachment_id",
        ),
        (json!({"client_message_id": "1", "kind": "text"}), ""),
    ];
    for (body, field) in wrong {
        let call = app
            .post(&talk.path("/messages"))
            .bearer(&talk.customer.access_token);
        let problem = call
            .json(&body)
            .send()
            .await
            .problem("validation_failed", 422);
        if !field.is_empty() {
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
    }
    assert_eq!(talk.show(&app, &talk.mitra).await["last_seq"], 0);
    let longest = json!({"client_message_id": "1", "kind": "text", "body": "é".repeat(4000)});
    let call = app
        .post(&talk.path("/messages"))
        .bearer(&talk.customer.access_token);
    call.json(&longest).send().await.expect(201);
}

async fn page(app: &TestApp, talk: &Talk, query: &str) -> (Vec<i64>, i64) {
    let call = app
        .get(&talk.path(&format!("/messages{query}")))
        .bearer(&talk.mitra.access_token);
    let page = call.send().await.expect(200).json();
    (
        seqs(page["items"].as_array().unwrap()),
        page["last_seq"].as_i64().unwrap(),
    )
}

#[tokio::test]
async fn history_is_read_forwards_and_backwards() {
    let app = start().await;
    let talk = talk(&app).await;
    assert_eq!(page(&app, &talk, "").await, (vec![], 0));
    for index in 0..6 {
        talk.send(&app, &talk.customer, &index.to_string())
            .await
            .expect(201);
    }
    assert_eq!(page(&app, &talk, "").await, (vec![1, 2, 3, 4, 5, 6], 6));
    assert_eq!(page(&app, &talk, "?limit=2").await, (vec![5, 6], 6));
    assert_eq!(
        page(&app, &talk, "?limit=2&before_seq=5").await,
        (vec![3, 4], 6)
    );
    assert_eq!(
        page(&app, &talk, "?limit=2&after_seq=0").await,
        (vec![1, 2], 6)
    );
    assert_eq!(
        page(&app, &talk, "?after_seq=2&before_seq=5").await,
        (vec![3, 4], 6)
    );
    assert_eq!(page(&app, &talk, "?after_seq=6").await, (vec![], 6));
}

#[tokio::test]
async fn read_marks_move_forward_only_and_count_the_other_sides_messages() {
    let app = start().await;
    let talk = talk(&app).await;
    for index in 0..3 {
        talk.send(&app, &talk.customer, &index.to_string())
            .await
            .expect(201);
    }
    talk.send(&app, &talk.mitra, "4").await.expect(201);
    let mut at_customer = socket(&app, &talk.customer).await;
    let unread = async |viewer| talk.show(&app, viewer).await["unread"].as_i64().unwrap();
    assert_eq!(
        (unread(&talk.mitra).await, unread(&talk.customer).await),
        (3, 1)
    );
    let read = async |seq: i64| {
        let call = app
            .post(&talk.path("/read"))
            .bearer(&talk.mitra.access_token);
        call.json(&json!({"seq": seq})).send().await
    };
    read(2).await.expect(204);
    assert_eq!(unread(&talk.mitra).await, 1);
    assert_eq!(at_customer.expect("message.read").await["seq"], 2);
    read(1).await.expect(204);
    assert_eq!(unread(&talk.mitra).await, 1);
    read(1_000_000).await.expect(204);
    assert_eq!(unread(&talk.mitra).await, 0);
    // What is past the end is cut: a message that comes later is unread.
    assert_eq!(at_customer.expect("message.read").await["seq"], 4);
    talk.send(&app, &talk.customer, "5").await.expect(201);
    assert_eq!(unread(&talk.mitra).await, 1);
    read(-1).await.problem("validation_failed", 422);
}

#[tokio::test]
async fn a_user_has_a_limit_on_messages() {
    let app = plan().env("CHAT_MESSAGES_PER_SECOND", "5").start().await;
    let talk = talk(&app).await;
    for index in 0..20 {
        talk.send(&app, &talk.customer, &index.to_string())
            .await
            .expect(201);
    }
    let refused = talk.send(&app, &talk.customer, "20").await;
    refused.problem("rate_limited", 429);
    assert_eq!(refused.retry_after(), 1);
    let mut at_customer = socket(&app, &talk.customer).await;
    at_customer.send(&talk.frame("20")).await;
    let error = at_customer.expect("error").await;
    assert_eq!(
        (&error["id"], &error["code"]),
        (&json!("20"), &json!("rate_limited"))
    );
    talk.send(&app, &talk.mitra, "0").await.expect(201);
    app.clock.advance(std::time::Duration::from_millis(200));
    talk.send(&app, &talk.customer, "20").await.expect(201);
}
