//! Who may send, and the errors of sending.

use std::time::Duration;

use halobestie_sandbox::google::SEND_CODES;
use serde_json::json;

use super::{Sender, fcm_code};
use crate::client::Http;

#[tokio::test]
async fn a_message_gets_a_name_over_either_version_of_http() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let answer = sender
        .send(&token, "a", &json!({}))
        .await
        .expect(200)
        .json();
    let name = answer["name"].as_str().unwrap();
    assert!(name.starts_with("projects/halobestie-sandbox/messages/0:"));
    let sender = Sender {
        http: Http::new(),
        ..sender
    };
    sender.send(&token, "a", &json!({})).await.expect(200);
    let calls = sender.sandbox.google.calls();
    assert_eq!(calls[2].version, "HTTP/1.1");
}

#[tokio::test]
async fn many_messages_share_a_connection() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let names: Vec<_> = (0..300).map(|it| format!("device {it}")).collect();
    let empty = json!({});
    let sends = names.iter().map(|name| sender.send(&token, name, &empty));
    for answer in futures_util::future::join_all(sends).await {
        answer.expect(200);
    }
    assert_eq!(sender.sandbox.google.accepted(), 300);
}

#[tokio::test]
async fn a_token_that_is_missing_old_or_unknown_is_a_401_without_a_code_of_fcm() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let unknown = sender.send("ya29.guessed", "a", &json!({})).await;
    let missing = sender
        .http
        .post(&sender.send_url())
        .json(&json!({}))
        .send()
        .await;
    sender.clock.advance(Duration::from_secs(3599));
    let old = sender.send(&token, "a", &json!({})).await;
    for answer in [unknown, missing, old] {
        let error = answer.expect(401).json();
        assert_eq!(error["error"]["status"], "UNAUTHENTICATED");
        assert_eq!(fcm_code(&error), None);
    }
}

#[tokio::test]
async fn tokens_can_be_forgotten_and_made_short() {
    let sender = Sender::new().await;
    let google = &sender.sandbox.google;
    let token = sender.access_token().await;
    google.forget_access_tokens();
    sender.send(&token, "a", &json!({})).await.expect(401);
    google.set_access_token_life(Duration::from_secs(5));
    let answer = sender
        .exchange(&sender.assertion())
        .await
        .expect(200)
        .json();
    assert_eq!(answer["expires_in"], 5);
    let token = answer["access_token"].as_str().unwrap();
    sender.send(token, "a", &json!({})).await.expect(200);
    sender.clock.advance(Duration::from_secs(5));
    sender.send(token, "a", &json!({})).await.expect(401);
}

#[tokio::test]
async fn another_project_is_forbidden_and_another_path_not_there() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let base = sender.sandbox.google.base_url();
    let other = format!("{base}/v1/projects/other/messages:send");
    let answer = sender
        .http
        .post(&other)
        .bearer(&token)
        .json(&json!({}))
        .send()
        .await;
    let error = answer.expect(403).json();
    assert_eq!(error["error"]["status"], "PERMISSION_DENIED");
    assert_eq!(fcm_code(&error), None);
    for path in [
        "/batch",
        "/v1/projects/halobestie-sandbox/messages",
        "/fcm/send",
    ] {
        let call = sender.http.post(&format!("{base}{path}")).bearer(&token);
        let answer = call.json(&json!({})).send().await.expect(404);
        assert!(answer.body.starts_with("<!DOCTYPE html>"));
    }
}

#[tokio::test]
async fn every_error_code_comes_with_its_status() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let expected = [
        ("UNREGISTERED", 404, "NOT_FOUND", Some("UNREGISTERED")),
        (
            "INVALID_ARGUMENT",
            400,
            "INVALID_ARGUMENT",
            Some("INVALID_ARGUMENT"),
        ),
        (
            "INVALID_TOKEN",
            400,
            "INVALID_ARGUMENT",
            Some("INVALID_ARGUMENT"),
        ),
        (
            "SENDER_ID_MISMATCH",
            403,
            "PERMISSION_DENIED",
            Some("SENDER_ID_MISMATCH"),
        ),
        (
            "THIRD_PARTY_AUTH_ERROR",
            401,
            "UNAUTHENTICATED",
            Some("THIRD_PARTY_AUTH_ERROR"),
        ),
        (
            "QUOTA_EXCEEDED",
            429,
            "RESOURCE_EXHAUSTED",
            Some("QUOTA_EXCEEDED"),
        ),
        ("UNAVAILABLE", 503, "UNAVAILABLE", Some("UNAVAILABLE")),
        ("INTERNAL", 500, "INTERNAL", Some("INTERNAL")),
        ("UNAUTHENTICATED", 401, "UNAUTHENTICATED", None),
        ("PERMISSION_DENIED", 403, "PERMISSION_DENIED", None),
    ];
    assert_eq!(expected.map(|(code, ..)| code), SEND_CODES);
    for (code, http, status, fcm) in expected {
        sender.sandbox.google.fail_sends(1, code, None);
        let error = sender
            .send(&token, "a", &json!({}))
            .await
            .expect(http)
            .json();
        assert_eq!(error["error"]["code"], http);
        assert_eq!(error["error"]["status"], status);
        assert_eq!(fcm_code(&error), fcm, "{error}");
    }
    assert_eq!(sender.sandbox.google.accepted(), 0);
}

#[tokio::test]
async fn a_storm_says_how_long_to_wait() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let google = &sender.sandbox.google;
    google.fail_sends(2, "QUOTA_EXCEEDED", Some(Duration::from_secs(30)));
    google.fail_sends(1, "UNAVAILABLE", Some(Duration::from_millis(500)));
    for (status, wait) in [(429, "30"), (429, "30"), (503, "1")] {
        let answer = sender.send(&token, "a", &json!({})).await.expect(status);
        assert_eq!(answer.header("retry-after"), wait);
    }
    sender.send(&token, "a", &json!({})).await.expect(200);
}
