//! The rules of sockets: sign-in, bad frames, limits, revocation, drain.

use std::time::Duration;

use halobestie_auth::testing::{customer, mitra};
use halobestie_testkit::TestApp;
use halobestie_testkit::tungstenite::Message;
use serde_json::json;

use crate::world::{online_mitra, plan, socket, start, talk};

async fn still_works(app: &TestApp) {
    app.get("/livez").send().await.expect(200);
    let me = customer(app).await;
    socket(app, &me).await.so_far().await;
}

#[tokio::test]
async fn a_socket_signs_in_by_header_or_by_its_first_frame() {
    let app = start().await;
    let me = customer(&app).await;
    let mut socket = app.ws(Some(&me.access_token)).await;
    let hello = socket.next().await;
    assert_eq!(hello["user"]["id"], me.user_id.to_string());
    assert_eq!(hello["user"]["role"], "customer");
    assert_eq!(hello["user"]["display_name"], me.display_name);
    let mut other = app.ws(None).await;
    other
        .send(&json!({"type": "auth", "access_token": me.access_token}))
        .await;
    let second = other.next().await;
    assert_eq!(second["type"], "hello");
    assert_ne!(second["connection_id"], hello["connection_id"]);
    other.send(&json!({"type": "ping", "id": "p"})).await;
    let pong = other.next().await;
    assert_eq!((&pong["type"], &pong["id"]), (&json!("pong"), &json!("p")));
}

#[tokio::test]
async fn whoever_does_not_sign_in_is_closed_with_4401() {
    let app = start().await;
    let silent = async { app.ws(None).await.close_code().await };
    let bad_header = async { app.ws(Some("not-a-token")).await.close_code().await };
    let bad_frame = async {
        let mut socket = app.ws(None).await;
        socket
            .send(&json!({"type": "auth", "access_token": "nonsense"}))
            .await;
        socket.close_code().await
    };
    let talks_first = async {
        let mut socket = app.ws(None).await;
        socket.send(&json!({"type": "ping"})).await;
        socket.close_code().await
    };
    let codes = tokio::join!(silent, bad_header, bad_frame, talks_first);
    assert_eq!(codes, (4401, 4401, 4401, 4401));
    still_works(&app).await;
}

#[tokio::test]
async fn a_bad_frame_closes_with_4400_and_the_server_goes_on() {
    let app = start().await;
    let me = customer(&app).await;
    let bad = [
        Message::text("not json"),
        Message::text("[1]"),
        Message::text(r#"{"type":"dance"}"#),
        Message::text(r#"{"no":"type"}"#),
        Message::binary(vec![1, 2, 3]),
        Message::text(format!(
            r#"{{"type":"ping","id":"{}"}}"#,
            "x".repeat(100_000)
        )),
    ];
    for frame in bad {
        let mut socket = socket(&app, &me).await;
        // A frame that is too large may be refused before it was written to its end.
        let _ = socket.try_send(frame.clone()).await;
        assert_eq!(socket.close_code().await, 4400, "{:.60}", frame.to_string());
    }
    still_works(&app).await;
}

#[tokio::test]
async fn wrong_fields_of_a_known_frame_are_answered() {
    let app = start().await;
    let (talk, stranger) = (talk(&app).await, customer(&app).await);
    let mut at_stranger = socket(&app, &stranger).await;
    let refused = [
        (
            json!({"type": "message.send", "id": 1, "session_id": "x"}),
            "validation_failed",
        ),
        (
            json!({"type": "message.read", "id": 2, "session_id": talk.id}),
            "validation_failed",
        ),
        (
            json!({"type": "resume", "id": 3, "sessions": "all"}),
            "validation_failed",
        ),
        (talk.frame("foreign"), "not_found"),
        (
            json!({"type": "message.read", "session_id": talk.id, "seq": 1}),
            "not_found",
        ),
        (
            json!({"type": "typing", "session_id": talk.id, "typing": true}),
            "not_found",
        ),
        (json!({"type": "heartbeat"}), "forbidden"),
    ];
    for (frame, code) in refused {
        at_stranger.send(&frame).await;
        let error = at_stranger.next().await;
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("error"), &json!(code)),
            "{frame}"
        );
        assert_eq!(error["id"], frame["id"]);
    }
    let resume = json!({"type": "resume", "sessions": [{"session_id": talk.id, "after_seq": 0}]});
    at_stranger.send(&resume).await;
    assert_eq!(
        at_stranger.next().await,
        json!({"type": "resumed", "sessions": []})
    );
}

#[tokio::test]
async fn a_mitras_heartbeat_goes_over_the_socket() {
    let app = start().await;
    let mitra = online_mitra(&app).await;
    let mut socket = socket(&app, &mitra).await;
    socket.send(&json!({"type": "heartbeat"})).await;
    let answer = socket.expect("heartbeat").await;
    assert_eq!(answer["online"], true);
    assert!(answer["next_heartbeat_seconds"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_token_ends_its_socket_unless_a_newer_one_comes() {
    let app = plan().env("AUTH_ACCESS_SECONDS", "900").start().await;
    let me = customer(&app).await;
    let (mut renewed, mut forgotten) = (socket(&app, &me).await, socket(&app, &me).await);
    app.clock.advance(Duration::from_secs(600));
    let body = json!({"refresh_token": me.refresh_token});
    let tokens = app
        .post("/api/auth/refresh")
        .json(&body)
        .send()
        .await
        .expect(200)
        .json();
    renewed
        .send(&json!({"type": "auth", "access_token": tokens["access_token"]}))
        .await;
    assert!(renewed.expect("auth.ok").await["expires_at"].is_string());
    app.clock.advance(Duration::from_secs(301));
    assert_eq!(forgotten.close_code().await, 4401);
    renewed.so_far().await;
    let stranger = customer(&app).await;
    renewed
        .send(&json!({"type": "auth", "access_token": stranger.access_token}))
        .await;
    assert_eq!(renewed.close_code().await, 4401);
}

#[tokio::test]
async fn a_revoked_session_loses_its_sockets_on_every_server() {
    let app = start().await;
    let replica = app.replica().await;
    let (me, other) = (mitra(&app).await, mitra(&app).await);
    let (mut here, mut there) = (socket(&app, &me).await, socket(&replica, &me).await);
    let mut others = socket(&replica, &other).await;
    app.post("/api/auth/logout")
        .bearer(&me.access_token)
        .send()
        .await
        .expect(204);
    assert_eq!(here.close_code().await, 4403);
    assert_eq!(there.close_code().await, 4403);
    assert_eq!(
        app.ws(Some(&me.access_token)).await.close_code().await,
        4403
    );
    others.so_far().await;
}

#[tokio::test]
async fn flooding_is_refused_and_then_closed() {
    let app = plan().env("CHAT_FRAMES_PER_SECOND", "5").start().await;
    let me = customer(&app).await;
    let mut socket = socket(&app, &me).await;
    for _ in 0..100 {
        let _ = socket.try_send(Message::text(r#"{"type":"ping"}"#)).await;
    }
    let (frames, code) = socket.ending().await;
    assert_eq!(code, 4429);
    let count = |kind: &str| frames.iter().filter(|frame| frame["type"] == kind).count();
    assert_eq!(count("pong"), 10);
    assert_eq!(count("error"), 60);
    assert!(
        frames
            .iter()
            .all(|it| it["type"] == "pong" || it["code"] == "rate_limited")
    );
}

#[tokio::test]
async fn a_drain_tells_each_socket_when_to_come_back() {
    let app = start().await;
    let me = customer(&app).await;
    let (mut one, mut two) = (socket(&app, &me).await, socket(&app, &me).await);
    let mut unsigned = app.ws(None).await;
    app.shut_down();
    for socket in [&mut one, &mut two] {
        let (frames, code) = socket.ending().await;
        let draining = frames.last().unwrap();
        assert_eq!(draining["type"], "server.draining");
        assert!(draining["reconnect_after_ms"].as_u64().unwrap() < 5_000);
        assert_eq!(code, 1012);
    }
    assert_eq!(unsigned.close_code().await, 1012);
    app.stop().await;
}
