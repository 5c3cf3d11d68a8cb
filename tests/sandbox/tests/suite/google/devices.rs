//! What devices got.

use std::time::Duration;

use halobestie_sandbox::Sandbox;
use serde_json::json;

use super::{Sender, fcm_code};

#[tokio::test]
async fn a_device_has_all_that_was_sent_to_it() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let offer = json!({
        "notification": { "title": "Someone wants to talk", "body": "60 seconds" },
        "data": { "type": "offer.new" },
        "android": { "priority": "high", "ttl": "60s", "collapseKey": "offer", "notification": null },
        "apns": {
            "headers": { "apns-priority": "10", "apns-collapse-id": "offer" },
            "payload": { "aps": { "alert": { "title": "x" }, "badge": 1, "sound": "default" }, "request": 7 },
        },
    });
    sender.send(&token, "mitra", &offer).await.expect(200);
    sender
        .send(&token, "customer", &json!({}))
        .await
        .expect(200);
    let google = &sender.sandbox.google;
    let pushes = google.pushes_to(&google.device("mitra"));
    let [push] = pushes.as_slice() else {
        panic!("{pushes:?}")
    };
    assert_eq!(push.title(), Some("Someone wants to talk"));
    assert_eq!(push.body(), Some("60 seconds"));
    assert_eq!(push.data("type"), Some("offer.new"));
    assert_eq!(push.collapse_key(), Some("offer"));
    assert_eq!((push.ttl(), push.priority()), (Some("60s"), Some("high")));
    assert_eq!(push.apns_header("apns-collapse-id"), Some("offer"));
    assert_eq!(push.message["apns"]["payload"]["request"], 7);
    assert_eq!(push.at, sender.clock.now());
}

#[tokio::test]
async fn a_validated_message_goes_nowhere() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let google = &sender.sandbox.google;
    for name in ["validate_only", "validateOnly"] {
        let body = json!({ name: true, "message": { "token": google.device("a") } });
        let answer = sender.send_with(&token, &body).await.expect(200).json();
        assert!(
            answer["name"]
                .as_str()
                .unwrap()
                .ends_with("fake_message_id")
        );
    }
    let bad = json!({ "validate_only": true, "message": { "token": "short" } });
    sender.send_with(&token, &bad).await.expect(400);
    assert_eq!((google.accepted(), google.validated()), (0, 2));
}

#[tokio::test]
async fn a_device_fails_as_it_was_told_and_the_others_do_not() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let google = &sender.sandbox.google;
    google.device_fails(&google.device("gone"), "UNREGISTERED");
    let wait = Some(Duration::from_secs(60));
    google.device_fails_for(&google.device("busy"), "QUOTA_EXCEEDED", wait);
    let gone = sender.send(&token, "gone", &json!({})).await.expect(404);
    assert_eq!(fcm_code(&gone.json()), Some("UNREGISTERED"));
    let busy = sender.send(&token, "busy", &json!({})).await.expect(429);
    assert_eq!(busy.header("retry-after"), "60");
    sender.send(&token, "well", &json!({})).await.expect(200);
    google.device_works(&google.device("gone"));
    sender.send(&token, "gone", &json!({})).await.expect(200);
}

#[tokio::test]
#[should_panic(expected = "FCM never says NOPE")]
async fn a_device_cannot_fail_with_what_fcm_never_says() {
    let sandbox = Sandbox::start().await;
    sandbox.google.device_fails("x", "NOPE");
}
