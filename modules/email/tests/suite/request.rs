//! Asking for a link.

use halobestie_auth::testing;
use serde_json::{Value, json};

use crate::server::{ask, fresh_email, seconds, sign_in, start};

#[tokio::test]
async fn the_answer_is_the_same_for_known_and_unknown_emails() {
    let (app, mail) = start().await;
    let (known, unknown) = (fresh_email(), fresh_email());
    sign_in(&app, &mail, &known).await;
    app.clock.advance(seconds(30));
    let one = ask(&app, &known).await.expect(202);
    let other = ask(&app, &unknown).await.expect(202);
    assert_eq!(one.body, other.body);
    let expected = json!({"expires_at": "2026-01-15T08:15:30.000Z", "resend_after_seconds": 30});
    assert_eq!(one.json(), expected);
    // Both are written to.
    mail.letter(&known, 2).await;
    mail.letter(&unknown, 1).await;
}

#[tokio::test]
async fn known_and_unknown_emails_cost_the_same_statements_before_the_answer() {
    let (app, mail) = start().await;
    let known = fresh_email();
    sign_in(&app, &mail, &known).await;
    app.clock.advance(seconds(30));
    let mut counts = Vec::new();
    for email in [known, fresh_email()] {
        app.settle().await;
        let before = app.statement_count();
        ask(&app, &email).await.expect(202);
        app.settle().await;
        counts.push(app.statement_count() - before);
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn the_answer_does_not_wait_for_the_mail_server() {
    // One that accepts connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", silent.local_addr().unwrap());
    let mail = crate::smtp::MailServer::start().await;
    let app = crate::server::plan(&mail)
        .env("SMTP_URL", &url)
        .start()
        .await;
    ask(&app, &fresh_email()).await.expect(202);
}

#[tokio::test]
async fn the_token_is_stored_hashed() {
    let (app, mail) = start().await;
    let email = fresh_email();
    let token = crate::server::token(&app, &mail, &email).await;
    let dump = "SELECT json_agg(l)::text FROM email_links l";
    let stored: String = app.database.row(dump, &[]).await.get(0);
    assert!(stored.contains(&email) && !stored.contains(&token));
    let bytes = "SELECT octet_length(token_hash) FROM email_links";
    assert_eq!(app.database.row(bytes, &[]).await.get::<_, i32>(0), 32);
}

#[tokio::test]
async fn what_is_no_email_is_refused() {
    let (app, mail) = start().await;
    for email in [
        json!(""),
        json!("sari"),
        json!("sari@localhost"),
        json!("sari@example.com\r\nBcc: everybody@example.com"),
        json!("sari@example.com,budi@example.com"),
        json!("ｓari@example.com"),
        json!(7),
        Value::Null,
    ] {
        let call = app.post("/api/auth/email/request");
        let answer = call.json(&json!({"email": email})).send().await;
        let problem = answer.problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], "email", "{email}");
    }
    assert_eq!(mail.connections(), 0);
}

#[tokio::test]
async fn spaces_and_capitals_make_no_other_person() {
    let (app, mail) = start().await;
    let email = fresh_email();
    let first = sign_in(&app, &mail, &email).await;
    app.clock.advance(seconds(30));
    ask(&app, &format!("  {} ", email.to_uppercase()))
        .await
        .expect(202);
    let token = mail.letter(&email, 2).await.token();
    let second = crate::server::verify(&app, &token).await.expect(200).json();
    assert_eq!(first["user"]["id"], second["user"]["id"]);
}

#[tokio::test]
async fn without_the_module_there_is_no_such_route() {
    let app = halobestie_testkit::TestApp::start(crate::server::ENTRIES).await;
    ask(&app, &fresh_email()).await.problem("not_found", 404);
    testing::customer(&app).await;
}
