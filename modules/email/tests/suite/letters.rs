//! What arrives.

use serde_json::json;

use crate::server::{ask, fresh_email, plan, seconds, sign_in, start, text};
use crate::smtp::MailServer;

#[tokio::test]
async fn it_is_text_and_html_with_the_same_link() {
    let (app, mail) = start().await;
    let email = fresh_email();
    ask(&app, &email).await.expect(202);
    let letter = mail.letter(&email, 1).await;
    assert_eq!(letter.from, "no-reply@halobestie.test");
    assert_eq!(
        letter.header("From"),
        Some("halobestie <no-reply@halobestie.test>")
    );
    assert_eq!(letter.header("To"), Some(email.as_str()));
    assert_eq!(
        letter.header("Date"),
        Some("Thu, 15 Jan 2026 08:00:00 +0000")
    );
    assert!(
        letter
            .header("Message-ID")
            .unwrap()
            .ends_with("@halobestie.test>")
    );
    assert!(
        letter
            .header("Content-Type")
            .unwrap()
            .starts_with("multipart/alternative")
    );
    for part in [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: text/html; charset=utf-8",
    ] {
        assert_eq!(letter.raw.matches(part).count(), 1, "{}", letter.raw);
    }
    // Nothing is encoded, so the link survives readers that do not decode.
    assert_eq!(
        letter
            .raw
            .matches("Content-Transfer-Encoding: 7bit")
            .count(),
        2
    );
    let start = "https://halobestie.test/api/auth/email/open?token=";
    assert_eq!(letter.link().strip_prefix(start).map(str::len), Some(43));
}

#[tokio::test]
async fn a_strangers_is_in_the_language_that_the_browser_asks_for() {
    let (app, mail) = start().await;
    for (accepted, subject) in [
        ("en-GB,en;q=0.9,id;q=0.5", "Your halobestie sign-in link"),
        ("id-ID,id;q=0.9,en;q=0.8", "Tautan masuk halobestie"),
        ("fr", "Tautan masuk halobestie"),
    ] {
        let email = fresh_email();
        let call = app
            .post("/api/auth/email/request")
            .json(&json!({"email": email}));
        call.header("accept-language", accepted)
            .send()
            .await
            .expect(202);
        let letter = mail.letter(&email, 1).await;
        assert_eq!(letter.header("Subject"), Some(subject), "{accepted}");
        let is_english = letter.raw.contains("works for 15 minutes");
        assert_eq!(is_english, subject.starts_with("Your"));
    }
}

#[tokio::test]
async fn an_accounts_is_in_the_accounts_language() {
    let (app, mail) = start().await;
    let email = fresh_email();
    let tokens = sign_in(&app, &mail, &email).await;
    let change = app
        .patch("/api/auth/me")
        .bearer(&text(&tokens, "access_token"));
    change
        .json(&json!({"language": "en"}))
        .send()
        .await
        .expect(200);
    app.clock.advance(seconds(30));
    let call = app
        .post("/api/auth/email/request")
        .json(&json!({"email": email}));
    call.header("accept-language", "id")
        .send()
        .await
        .expect(202);
    let letter = mail.letter(&email, 2).await;
    assert_eq!(
        letter.header("Subject"),
        Some("Your halobestie sign-in link")
    );
}

#[tokio::test]
async fn on_cloudron_its_own_mail_server_takes_them() {
    let mail = MailServer::start().await;
    let app = plan(&mail)
        .env("SMTP_URL", "")
        .env("SMTP_FROM", "")
        .env("CLOUDRON_MAIL_FROM", "chat.app@cloudron.test")
        .env("CLOUDRON_MAIL_SMTP_SERVER", &mail.address.ip().to_string())
        .env("CLOUDRON_MAIL_SMTP_PORT", &mail.address.port().to_string())
        // Set beside the others, and not to be taken for a misspelling of them.
        .env("CLOUDRON_MAIL_SMTPS_PORT", "2465")
        .env("CLOUDRON_MAIL_DOMAIN", "cloudron.test")
        .env("CLOUDRON_MAIL_SMTP_USERNAME", crate::smtp::USER)
        .env("CLOUDRON_MAIL_SMTP_PASSWORD", crate::smtp::PASSWORD)
        .start()
        .await;
    let email = fresh_email();
    ask(&app, &email).await.expect(202);
    assert_eq!(mail.letter(&email, 1).await.from, "chat.app@cloudron.test");
}

#[tokio::test]
async fn a_server_without_a_mail_server_does_not_start() {
    let mail = MailServer::start().await;
    let started = plan(&mail)
        .env("SMTP_URL", "")
        .env("SMTP_FROM", "")
        .try_start()
        .await;
    let refusal = started.err().unwrap();
    assert!(
        refusal.contains("SMTP_URL") && refusal.contains("SMTP_FROM"),
        "{refusal}"
    );
}
