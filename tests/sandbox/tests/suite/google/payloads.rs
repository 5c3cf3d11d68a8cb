//! What a message may be.

use serde_json::{Value, json};

use super::{Sender, fcm_code};

/// The field that an error is about.
fn field(error: &Value) -> Option<&str> {
    let details = error["error"]["details"].as_array()?.iter();
    let mut fields = details.filter_map(|it| it["fieldViolations"][0]["field"].as_str());
    fields.next()
}

#[tokio::test]
async fn what_is_not_in_the_schema_is_refused_with_its_place() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let cases = [
        (json!({ "data": { "n": 1 } }), "message.data[0].value"),
        (json!({ "data": { "n": null } }), "message.data[0].value"),
        (json!({ "data": ["a"] }), "message.data"),
        (json!({ "sound": "default" }), "message"),
        (
            json!({ "android": { "channel_id": "x" } }),
            "message.android",
        ),
        (
            json!({ "notification": { "sound": "x" } }),
            "message.notification",
        ),
        (json!({ "android": { "ttl": 60 } }), "message.android.ttl"),
        (
            json!({ "android": { "direct_boot_ok": "yes" } }),
            "message.android.direct_boot_ok",
        ),
        (
            json!({ "android": { "data": { "n": {} } } }),
            "message.android.data[0].value",
        ),
        (
            json!({ "apns": { "headers": { "apns-priority": 10 } } }),
            "message.apns.headers[0].value",
        ),
        (json!({ "apns": { "aps": {} } }), "message.apns"),
    ];
    for (fields, place) in cases {
        let answer = sender.send(&token, "a", &fields).await.expect(400).json();
        assert_eq!(answer["error"]["status"], "INVALID_ARGUMENT");
        assert_eq!(field(&answer), Some(place), "{answer}");
        assert_eq!(fcm_code(&answer), None);
    }
    let beside =
        json!({ "message": { "token": sender.sandbox.google.device("a") }, "dry_run": true });
    let answer = sender.send_with(&token, &beside).await.expect(400).json();
    let words = answer["error"]["message"].as_str().unwrap();
    assert_eq!(
        words,
        "Invalid JSON payload received. Unknown name \"dry_run\": Cannot find field."
    );
    sender.send_with(&token, &json!({})).await.expect(400);
    sender.send_with(&token, &json!([])).await.expect(400);
    assert_eq!(sender.sandbox.google.accepted(), 0);
}

#[tokio::test]
async fn what_fcm_does_not_take_is_refused_with_its_code() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let long_id = "x".repeat(65);
    let cases = [
        json!({ "data": { "from": "x" } }),
        json!({ "data": { "gcm": "x" } }),
        json!({ "data": { "google.x": "x" } }),
        json!({ "data": { "googlex": "x" } }),
        json!({ "android": { "priority": "urgent" } }),
        json!({ "android": { "ttl": "60" } }),
        json!({ "android": { "ttl": "2419201s" } }),
        json!({ "android": { "ttl": "-1s" } }),
        json!({ "android": { "ttl": "1e3s" } }),
        json!({ "android": { "notification": { "color": "red" } } }),
        json!({ "apns": { "headers": { "apns-priority": "7" } } }),
        json!({ "apns": { "headers": { "apns-expiration": "soon" } } }),
        json!({ "apns": { "headers": { "apns-collapse-id": long_id } } }),
        json!({ "apns": { "payload": { "aps": { "badge": "1" } } } }),
        json!({ "apns": { "payload": { "aps": { "content-available": true } } } }),
        json!({ "apns": { "payload": { "aps": { "alert": 1 } } } }),
        json!({ "topic": "news" }),
    ];
    for fields in cases {
        let answer = sender.send(&token, "a", &fields).await.expect(400).json();
        assert_eq!(
            fcm_code(&answer),
            Some("INVALID_ARGUMENT"),
            "{fields} {answer}"
        );
    }
    assert_eq!(sender.sandbox.google.accepted(), 0);
}

#[tokio::test]
async fn a_message_needs_one_recipient() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let answer = sender.send_with(&token, &json!({ "message": {} })).await;
    let error = answer.expect(400).json();
    assert_eq!(
        error["error"]["message"],
        "Recipient of the message is not set."
    );
    for malformed in ["short", "with spaces in it, and much longer", ""] {
        let body = json!({ "message": { "token": malformed } });
        let error = sender.send_with(&token, &body).await.expect(400).json();
        assert_eq!(fcm_code(&error), Some("INVALID_ARGUMENT"));
        let words = error["error"]["message"].as_str().unwrap();
        assert_eq!(
            words,
            "The registration token is not a valid FCM registration token"
        );
    }
}

#[tokio::test]
async fn a_payload_has_4096_bytes_and_no_more() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let sized = |bytes: usize| json!({ "data": { "text": "x".repeat(bytes - "text".len()) } });
    sender.send(&token, "a", &sized(4096)).await.expect(200);
    let error = sender
        .send(&token, "a", &sized(4097))
        .await
        .expect(400)
        .json();
    assert_eq!(fcm_code(&error), Some("INVALID_ARGUMENT"));
    // Halves that go together count together.
    let mut shared = sized(2500);
    shared["notification"] = json!({ "body": "x".repeat(1700) });
    sender.send(&token, "a", &shared).await.expect(400);
    let mut apple = sized(2500);
    apple["apns"] = json!({ "payload": { "x": "x".repeat(1700) } });
    sender.send(&token, "a", &apple).await.expect(400);
}

#[tokio::test]
async fn a_body_that_is_no_json_or_does_not_say_so_is_refused() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    for (content_type, body) in [("application/json", "{"), ("text/plain", "{}")] {
        let call = sender.http.post(&sender.send_url()).bearer(&token);
        let answer = call.body(content_type, body).send().await.expect(400);
        assert_eq!(answer.json()["error"]["status"], "INVALID_ARGUMENT");
    }
}
