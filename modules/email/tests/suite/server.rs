//! The server of this suite: this module over auth. And the calls that most tests make.

use std::time::Duration;

use halobestie_auth::Auth;
use halobestie_core::Entry;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_email::Email;
use halobestie_testkit::{Plan, TestApp, TestResponse};
use serde_json::{Value, json};

use crate::smtp::MailServer;

/// What the servers of this suite are made of.
pub(crate) static ENTRIES: &[Entry] = &[Entry::of::<Auth>(), Entry::of::<Email>()];

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A server whose mail goes there.
pub(crate) fn plan(mail: &MailServer) -> Plan {
    TestApp::with(ENTRIES)
        .env("EMAIL_ENABLED", "true")
        .env("SMTP_URL", &mail.url())
        .env("SMTP_FROM", "halobestie <no-reply@halobestie.test>")
        .env("PUBLIC_BASE_URL", "https://halobestie.test")
}

pub(crate) async fn start() -> (TestApp, MailServer) {
    let mail = MailServer::start().await;
    (plan(&mail).start().await, mail)
}

/// An address that no other test has.
pub(crate) fn fresh_email() -> String {
    let id = Entropy::system().uuid(&Clock::system());
    format!("{}@example.com", id.simple())
}

/// Asks for a link.
pub(crate) async fn ask(app: &TestApp, email: &str) -> TestResponse {
    let call = app.post("/api/auth/email/request");
    call.json(&json!({"email": email})).send().await
}

/// Asks for a link and waits for its token.
pub(crate) async fn token(app: &TestApp, mail: &MailServer, email: &str) -> String {
    let before = mail.arrived().iter().filter(|it| it.to == email).count();
    ask(app, email).await.expect(202);
    mail.letter(email, before + 1).await.token()
}

/// Shows a token.
pub(crate) async fn verify(app: &TestApp, token: &str) -> TestResponse {
    let call = app.post("/api/auth/email/verify");
    call.json(&json!({"token": token})).send().await
}

/// Signs in by a link.
pub(crate) async fn sign_in(app: &TestApp, mail: &MailServer, email: &str) -> Value {
    let token = token(app, mail, email).await;
    verify(app, &token).await.expect(200).json()
}

/// The text behind a key.
#[track_caller]
pub(crate) fn text(body: &Value, key: &str) -> String {
    match body[key].as_str() {
        Some(text) => text.to_owned(),
        None => panic!("no text {key} in {body}"),
    }
}
