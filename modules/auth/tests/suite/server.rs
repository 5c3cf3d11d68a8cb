//! The server of this suite: this module alone. And the calls that most tests make.

use std::time::Duration;

use halobestie_auth::Auth;
use halobestie_core::Entry;
use halobestie_testkit::{TestApp, TestResponse};
use serde_json::{Value, json};

/// What the servers of this suite are made of.
pub(crate) static ENTRIES: &[Entry] = &[Entry::of::<Auth>()];

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) async fn start() -> TestApp {
    TestApp::start(ENTRIES).await
}

/// Asks for a code.
pub(crate) async fn ask(app: &TestApp, phone: &str, role: &str) -> TestResponse {
    let body = json!({"phone": phone, "role": role});
    app.post("/api/auth/otp/request").json(&body).send().await
}

/// Asks for a code and expects one.
pub(crate) async fn otp(app: &TestApp, phone: &str, role: &str) -> Value {
    ask(app, phone, role).await.expect(202).json()["otp_id"].clone()
}

/// Shows a code.
pub(crate) async fn show(app: &TestApp, otp_id: &Value, code: &str) -> TestResponse {
    let body = json!({"otp_id": otp_id, "code": code});
    app.post("/api/auth/otp/verify").json(&body).send().await
}

/// Shows a refresh token.
pub(crate) async fn refresh(app: &TestApp, refresh_token: &str) -> TestResponse {
    let body = json!({"refresh_token": refresh_token});
    app.post("/api/auth/refresh").json(&body).send().await
}

/// Shows an access token.
pub(crate) async fn me(app: &TestApp, access_token: &str) -> TestResponse {
    app.get("/api/auth/me").bearer(access_token).send().await
}

/// The text behind a key.
#[track_caller]
pub(crate) fn text(body: &Value, key: &str) -> String {
    match body[key].as_str() {
        Some(text) => text.to_owned(),
        None => panic!("no text {key} in {body}"),
    }
}

/// The keys of an object, in order.
pub(crate) fn keys(body: &Value) -> Vec<&str> {
    body.as_object()
        .into_iter()
        .flat_map(|it| it.keys())
        .map(String::as_str)
        .collect()
}

/// How many answers there are of each status and code.
pub(crate) fn tally(answers: &[TestResponse]) -> Vec<(u16, String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for answer in answers {
        let code = answer.json()["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        *counts.entry((answer.status.as_u16(), code)).or_insert(0) += 1;
    }
    counts
        .into_iter()
        .map(|((status, code), count)| (status, code, count))
        .collect()
}
