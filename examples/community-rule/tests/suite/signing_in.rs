//! From an email to a draft, as the page does it: by a link, a cookie, and calls of the same origin.

use halobestie_testkit::Call;
use http::Method;
use serde_json::{Value, json};

use crate::world::{World, etag, start};

/// What a browser has after signing in.
struct Browser<'a> {
    world: &'a World,
    cookie: String,
}

impl Browser<'_> {
    fn call(&self, method: Method, path: &str) -> Call {
        let call = self.world.app.call(method, path);
        let call = call.header("cookie", &self.cookie);
        call.header("sec-fetch-site", "same-origin")
    }
}

async fn signed_in<'a>(world: &'a World, email: &str) -> (Browser<'a>, Value) {
    let app = &world.app;
    let asked = app
        .post("/api/auth/email/request")
        .json(&json!({"email": email}));
    asked.send().await.expect(202);
    let token = world.token(email).await;
    let page = app
        .get(&format!("/api/auth/email/open?token={token}"))
        .send()
        .await;
    let link = format!("<a href=\"http://localhost:3000/auth/email?token={token}\">");
    assert!(page.expect(200).text().contains(&link));
    let shown = json!({"token": token, "device": {"platform": "web"}});
    let tokens = app.post("/api/auth/email/verify").json(&shown).send().await;
    let tokens = tokens.expect(200).json();
    let call = app.post("/api/auth/cookie");
    let call = call.bearer(tokens["access_token"].as_str().unwrap());
    let answer = call.send().await.expect(200);
    let cookie = answer.header("set-cookie").unwrap();
    let (cookie, _) = cookie.split_once(';').unwrap();
    let browser = Browser {
        world,
        cookie: cookie.to_owned(),
    };
    (browser, tokens)
}

#[tokio::test]
async fn a_link_leads_to_a_cookie_and_the_cookie_to_a_draft() {
    let world = start().await;
    let (browser, _) = signed_in(&world, "sari@example.org").await;
    let call = browser.call(Method::PUT, "/api/drafts/rule");
    let saved = call.json(&json!({"title": "One"})).send().await.expect(201);
    let call = browser.call(Method::PUT, "/api/drafts/rule");
    let call = call.header("if-match", &etag(&saved));
    call.json(&json!({"title": "Two"})).send().await.expect(200);
    let read = browser.call(Method::GET, "/api/drafts/rule").send().await;
    assert_eq!(read.expect(200).json()["title"], "Two");
}

#[tokio::test]
async fn another_site_saves_nothing_whatever_it_calls_its_form() {
    let world = start().await;
    let (browser, _) = signed_in(&world, "sari@example.org").await;
    for content_type in ["application/json", "text/plain"] {
        let call = world
            .app
            .put("/api/drafts/rule")
            .header("cookie", &browser.cookie);
        let call = call.header("origin", "https://evil.test");
        let call = call.header("sec-fetch-site", "cross-site");
        call.body(content_type, "{}")
            .send()
            .await
            .problem("cross_site", 403);
    }
    assert_eq!(world.count("SELECT count(*) FROM drafts").await, 0);
}

#[tokio::test]
async fn signing_out_ends_the_session_for_good() {
    let world = start().await;
    let (browser, tokens) = signed_in(&world, "sari@example.org").await;
    browser
        .call(Method::POST, "/api/auth/logout")
        .send()
        .await
        .expect(204);
    let again = browser.call(Method::GET, "/api/drafts").send().await;
    again.problem("unauthenticated", 401);
    let body = json!({"refresh_token": tokens["refresh_token"]});
    let call = world.app.post("/api/auth/refresh").json(&body);
    call.send().await.problem("refresh_invalid", 401);
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_runs_its_own_script_alone() {
    let world = start().await;
    for path in ["/", "/auth/email?token=x"] {
        let page = world.app.get(path).send().await.expect(200);
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !page.text().contains("http"));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    }
    let script = world.app.get("/page.js").send().await.expect(200);
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    for forbidden in ["innerHTML", "localStorage", "sessionStorage", "eval("] {
        assert!(!script.text().contains(forbidden), "{forbidden}");
    }
    world.app.get("/page.css").send().await.expect(200);
}

#[tokio::test]
async fn the_platforms_health_check_is_answered() {
    let world = start().await;
    let health = world.app.get("/api/health").send().await.expect(200).json();
    assert_eq!(health, json!({"ok": true, "database": "connected"}));
}
