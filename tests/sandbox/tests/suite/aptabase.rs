//! Aptabase: what it takes, what it refuses, and what it drops without a word.

use halobestie_core::Timestamp;
use halobestie_core::clock::Clock;
use halobestie_sandbox::Aptabase;
use halobestie_sandbox::aptabase::APP_KEY;
use serde_json::{Value, json};

use crate::client::{Answer, Http};

struct Caller {
    aptabase: Aptabase,
    http: Http,
}

impl Caller {
    async fn new() -> Self {
        let clock = Clock::manual(Timestamp::from_unix_ms(1_768_464_000_000));
        let (aptabase, http) = (Aptabase::start(clock).await, Http::new());
        Self { aptabase, http }
    }

    async fn post(&self, key: &str, body: &Value) -> Answer {
        let origin = &self.aptabase.variables()[1].1;
        let call = self.http.post(&format!("{origin}/api/v0/events"));
        call.header("app-key", key).json(body).send().await
    }
}

/// A good event with one member changed; null removes it.
fn event_with(member: &str, value: Value) -> Value {
    let mut event = json!({
        "timestamp": "2026-01-15T08:00:00Z",
        "sessionId": "176846400012345678",
        "eventName": "tested",
        "systemProps": {"isDebug": true, "sdkVersion": "test@1"},
        "props": {"count": 1, "word": "x", "yes": true},
    });
    let members = event.as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(member),
        value => members.insert(member.to_owned(), value),
    };
    event
}

#[tokio::test]
async fn a_batch_of_25_is_taken_and_one_of_26_is_not() {
    let caller = Caller::new().await;
    let batch = |events: usize| json!(vec![event_with("", Value::Null); events]);
    caller.post(APP_KEY, &batch(25)).await.expect(200);
    // Keys are written in any case.
    caller
        .post(&APP_KEY.to_lowercase(), &batch(1))
        .await
        .expect(200);
    caller.post(APP_KEY, &batch(26)).await.expect(400);
    caller.post(APP_KEY, &json!({})).await.expect(400);
    caller.post("A-SH-1", &batch(1)).await.expect(404);
    assert_eq!(caller.aptabase.events().len(), 26);
    assert_eq!(caller.aptabase.events()[0].name, "tested");
}

#[tokio::test]
async fn a_wrong_event_is_dropped_without_a_word_and_the_reason_is_kept() {
    let caller = Caller::new().await;
    let wrong = [
        ("eventName", Value::Null),
        ("eventName", json!("x".repeat(61))),
        ("sessionId", json!("x".repeat(37))),
        // Eight days before, and an hour after.
        ("sessionId", json!("176777280012345678")),
        ("sessionId", json!("176846760012345678")),
        ("timestamp", json!("2026-01-14T07:59:59Z")),
        ("timestamp", json!("yesterday")),
        ("systemProps", json!({})),
        (
            "systemProps",
            json!({"sdkVersion": "x", "appVersion": "x".repeat(51)}),
        ),
        ("props", json!({"list": []})),
        ("colour", json!("red")),
    ];
    let count = wrong.len();
    for (member, value) in wrong {
        let batch = json!([event_with(member, value)]);
        caller.post(APP_KEY, &batch).await.expect(200);
    }
    assert_eq!(caller.aptabase.events().len(), 0);
    assert_eq!(caller.aptabase.dropped().len(), count);
    assert!(caller.aptabase.dropped()[0].contains("eventName"));
}
