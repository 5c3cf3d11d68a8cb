//! The page that a link leads to.

use http::Method;

use crate::server::{fresh_email, plan, start, token, verify};
use crate::smtp::MailServer;

#[tokio::test]
async fn looking_at_it_uses_nothing_up() {
    let (app, mail) = start().await;
    let token = token(&app, &mail, &fresh_email()).await;
    let path = format!("/api/auth/email/open?token={token}");
    for _ in 0..3 {
        let page = app.get(&path).send().await.expect(200);
        let button = format!("<a href=\"halobestie://auth/email?token={token}\">");
        assert!(page.text().contains(&button), "{page}");
        app.call(Method::HEAD, &path).send().await.expect(200);
    }
    verify(&app, &token).await.expect(200);
}

#[tokio::test]
async fn it_loads_nothing_runs_nothing_and_is_kept_by_nobody() {
    let (app, mail) = start().await;
    let token = token(&app, &mail, &fresh_email()).await;
    let page = app.get(&format!("/api/auth/email/open?token={token}"));
    let page = page.send().await.expect(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe") && !page.text().contains("<script"));
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn nothing_but_a_token_gets_onto_it() {
    let (app, _mail) = start().await;
    for query in [
        "",
        "?token=",
        "?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "?token=AAAA",
        "?token=javascript:alert(1)",
    ] {
        let page = app.get(&format!("/api/auth/email/open{query}"));
        let page = page.send().await.expect(400);
        let text = page.text();
        assert!(
            !text.contains("script") && !text.contains("<a "),
            "{query}: {text}"
        );
    }
}

#[tokio::test]
async fn the_app_may_have_an_address_instead_of_a_scheme() {
    let mail = MailServer::start().await;
    let plan = plan(&mail).env("APP_DEEP_LINK", "https://app.halobestie.test/open");
    let app = plan.start().await;
    let token = token(&app, &mail, &fresh_email()).await;
    let page = app.get(&format!("/api/auth/email/open?token={token}"));
    let page = page
        .header("accept-language", "en")
        .send()
        .await
        .expect(200);
    let button =
        format!("https://app.halobestie.test/open/auth/email?token={token}\">Open the app<");
    assert!(page.text().contains(&button), "{page}");
}
