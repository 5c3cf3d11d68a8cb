//! What others try with the cookie of a browser.

use halobestie_auth::testing;
use halobestie_testkit::{Call, Plan, TestApp};
use http::Method;

use crate::browser::Browser;
use crate::server::{ENTRIES, seconds};

const API: &str = "https://api.example.org";
const APP: &str = "https://app.example.org";

/// An API and pages on another host of its domain, over TLS.
fn plan() -> Plan {
    TestApp::with(ENTRIES)
        .env("SESSION_SECRET", "sixteen letters.")
        .env("PUBLIC_BASE_URL", API)
        .env("APP_ALLOWED_ORIGINS", APP)
}

async fn start() -> (TestApp, Browser) {
    let app = plan().start().await;
    let person = testing::customer(&app).await;
    let browser = Browser::signed_in(&app, &person.access_token).await;
    (app, browser)
}

fn rename(browser: &Browser, app: &TestApp, headers: &[(&'static str, &str)]) -> Call {
    let call = browser.navigate(app, Method::PATCH, "/api/auth/me");
    let call = call.body("text/plain", r#"{"display_name": "Mallory"}"#);
    headers
        .iter()
        .fold(call, |call, (name, value)| call.header(name, value))
}

#[tokio::test]
async fn a_form_of_another_site_signs_nobody_out() {
    let (app, mut browser) = start().await;
    for headers in [
        &[("origin", "https://evil.test")] as &[_],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("origin", APP)],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "https://blog.example.org"),
        ],
        &[],
    ] {
        for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
            let call = browser.navigate(&app, Method::POST, "/api/auth/logout");
            let call = call.body(content_type, "a=b");
            let call = headers
                .iter()
                .fold(call, |call, (name, value)| call.header(name, value));
            call.send().await.problem("cross_site", 403);
        }
    }
    browser.me(&app).await.expect(200);
}

#[tokio::test]
async fn pages_of_the_known_host_and_of_our_own_may() {
    let (app, browser) = start().await;
    for headers in [
        &[("sec-fetch-site", "same-site"), ("origin", APP)] as &[_],
        &[("sec-fetch-site", "same-origin"), ("origin", API)],
        &[("origin", API)],
        &[("origin", APP)],
    ] {
        // The cookie was taken: what is refused is the content type.
        let answer = rename(&browser, &app, headers).send().await;
        answer.problem("unsupported_media_type", 415);
    }
}

#[tokio::test]
async fn a_page_that_somebody_on_the_wire_has_made_may_not() {
    let (app, browser) = start().await;
    let call = rename(&browser, &app, &[("origin", "http://api.example.org")]);
    let call = call.header("host", "api.example.org");
    call.send().await.problem("cross_site", 403);
}

#[tokio::test]
async fn a_page_cannot_sign_its_visitor_in_as_somebody_else() {
    let app = plan().start().await;
    let attacker = testing::customer(&app).await;
    for (name, value) in [
        ("origin", "https://evil.test"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let call = app.post("/api/auth/cookie").bearer(&attacker.access_token);
        let answer = call.header(name, value).send().await;
        answer.problem("cross_site", 403);
        assert_eq!(answer.header("set-cookie"), None);
    }
    let call = app.post("/api/auth/cookie").bearer(&attacker.access_token);
    call.header("origin", APP).send().await.expect(200);
}

#[tokio::test]
async fn a_cookie_that_was_there_before_the_sign_in_is_not_the_one_that_comes_with_it() {
    let (app, planted) = start().await;
    let victim = testing::customer(&app).await;
    let call = app.post("/api/auth/cookie").bearer(&victim.access_token);
    let call = call.header("cookie", &planted.header());
    let mut browser = planted.clone();
    browser.keep(&call.send().await.expect(200));
    assert_ne!(browser.header(), planted.header());
    let user = browser.me(&app).await.expect(200).json();
    assert_eq!(user["id"], victim.user_id.to_string());
}

#[tokio::test]
async fn of_two_cookies_of_one_name_no_neighbours_is_believed() {
    let (app, mine) = start().await;
    let other = testing::customer(&app).await;
    let theirs = Browser::signed_in(&app, &other.access_token).await;
    for pair in [[&mine, &theirs], [&theirs, &mine]] {
        let header = pair.map(Browser::header).join("; ");
        let call = app.get("/api/auth/me").header("cookie", &header);
        let answer = call.send().await;
        answer.problem("unauthenticated", 401);
        // Else ours would go, and theirs be believed from then on.
        assert_eq!(answer.header("set-cookie"), None);
    }
    let twice = format!("{}; {}; a=b", mine.header(), mine.header());
    let call = app.get("/api/auth/me").header("cookie", &twice);
    call.send().await.expect(200);
}

#[tokio::test]
async fn a_cookie_that_was_changed_is_nobodys() {
    let (app, browser) = start().await;
    let header = browser.header();
    let (name, value) = header.split_once('=').unwrap();
    assert_eq!(name, "__Host-halobestie_session");
    for index in [0, 10, 40, value.len() - 2] {
        let mut changed = value.as_bytes().to_vec();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let call = app
            .get("/api/auth/me")
            .header("cookie", &format!("{name}={changed}"));
        call.send().await.problem("unauthenticated", 401);
    }
    // Nor is one under the name that a neighbour could set.
    for name in ["__Secure-halobestie_session", "halobestie_session"] {
        let call = app
            .get("/api/auth/me")
            .header("cookie", &format!("{name}={value}"));
        call.send().await.problem("unauthenticated", 401);
    }
}

#[tokio::test]
async fn a_domain_is_shared_over_tls_alone_and_widening_it_revives_no_cookie() {
    let plan = plan().env("SESSION_COOKIE_DOMAIN", "example.org");
    let app = plan.start().await;
    let person = testing::customer(&app).await;
    let call = app.post("/api/auth/cookie").bearer(&person.access_token);
    let answer = call.send().await.expect(200);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Secure-halobestie_session="),
        "{cookie}"
    );
    let attributes =
        "; Path=/; Domain=example.org; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure";
    assert!(cookie.ends_with(attributes), "{cookie}");
    let mut browser = Browser::default();
    browser.keep(&answer);
    browser.me(&app).await.expect(200);
    let narrower = app
        .another()
        .env("SESSION_COOKIE_DOMAIN", "api.example.org");
    let narrower = narrower.start().await;
    browser.me(&narrower).await.problem("unauthenticated", 401);
}

#[tokio::test]
async fn an_access_token_in_a_cookie_and_a_cookie_as_a_token_are_nothing() {
    let (app, browser) = start().await;
    let person = testing::customer(&app).await;
    let header = browser.header();
    let (name, value) = header.split_once('=').unwrap();
    crate::server::me(&app, value)
        .await
        .problem("unauthenticated", 401);
    let token = format!("{name}={}", person.access_token);
    let call = app.get("/api/auth/me").header("cookie", &token);
    call.send().await.problem("unauthenticated", 401);
}

#[tokio::test]
async fn on_the_internal_listener_a_browsers_cookie_opens_nothing() {
    let (app, browser) = start().await;
    app.clock.advance(seconds(1));
    let call = app.internal_post("/api/admin/auth/logout");
    let call = call.header("cookie", &browser.header());
    let call = call.header("sec-fetch-site", "same-origin");
    call.send().await.problem("forbidden", 403);
}
