//! Browsers that carry their session by a cookie: how it begins, lasts and ends.

use halobestie_auth::testing::{self, SignedIn, fresh_phone, sign_in};
use halobestie_core::ports::Role;
use halobestie_testkit::{Plan, TcpProxy, TestApp, eventually};
use http::Method;
use serde_json::json;

use crate::browser::Browser;
use crate::server::{ENTRIES, keys, me, refresh, seconds};

const DAY: u64 = 24 * 3600;

fn plan() -> Plan {
    TestApp::with(ENTRIES).env("SESSION_SECRET", "sixteen letters.")
}

async fn start() -> (TestApp, SignedIn) {
    let app = plan().start().await;
    let person = testing::customer(&app).await;
    (app, person)
}

async fn ask(app: &TestApp, access_token: &str) -> halobestie_testkit::TestResponse {
    let call = app.post("/api/auth/cookie").bearer(access_token);
    call.send().await
}

#[tokio::test]
async fn a_sign_in_is_carried_over_to_a_cookie() {
    let (app, person) = start().await;
    let answer = ask(&app, &person.access_token).await.expect(200);
    let cookie = answer.header("set-cookie").unwrap();
    let (_, attributes) = cookie.split_once("; ").unwrap();
    assert!(cookie.starts_with("halobestie_session="), "{cookie}");
    assert_eq!(
        attributes,
        "Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(keys(&body), ["expires_in", "user"]);
    assert_eq!(body["expires_in"], 30 * DAY);
    assert_eq!(body["user"]["id"], person.user_id.to_string());

    let mut browser = Browser::default();
    browser.keep(&answer);
    let user = browser.me(&app).await.expect(200).json();
    assert_eq!(user["id"], person.user_id.to_string());
}

#[tokio::test]
async fn it_is_the_same_session_on_the_same_line_of_the_list() {
    let (app, person) = start().await;
    let browser = Browser::signed_in(&app, &person.access_token).await;
    let call = browser.call(&app, Method::GET, "/api/auth/sessions");
    let items = call.send().await.expect(200).json()["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(1));
    assert_eq!(items[0]["current"], true);
}

#[tokio::test]
async fn a_fresh_cookie_costs_no_statement() {
    let (app, person) = start().await;
    let mut browser = Browser::signed_in(&app, &person.access_token).await;
    app.settle().await;
    let before = app.statement_count();
    browser.me(&app).await.expect(200);
    // The handler's own.
    assert_eq!(app.statement_count() - before, 1);
}

#[tokio::test]
async fn after_a_quarter_of_an_hour_the_next_call_brings_a_new_cookie_by_itself() {
    let (app, person) = start().await;
    let mut browser = Browser::signed_in(&app, &person.access_token).await;
    let first = browser.header();
    app.clock.advance(seconds(899));
    browser.me(&app).await.expect(200);
    assert_eq!(browser.header(), first);
    app.clock.advance(seconds(1));
    app.settle().await;
    let before = app.statement_count();
    browser.me(&app).await.expect(200);
    assert_eq!(app.statement_count() - before, 2);
    let second = browser.header();
    assert_ne!(second, first);
    // Another tab still shows the one of before, and gets the same.
    let cookies = [first.split_once('=').unwrap()]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let mut tab = Browser { cookies };
    tab.me(&app).await.expect(200);
    assert_eq!(tab.header(), second);
}

#[tokio::test]
async fn a_session_lasts_as_long_as_it_is_used_and_thirty_days_beyond() {
    let (app, person) = start().await;
    let mut browser = Browser::signed_in(&app, &person.access_token).await;
    for _ in 0..3 {
        app.clock.advance(seconds(29 * DAY));
        browser.me(&app).await.expect(200);
    }
    let old = browser.clone();
    app.clock.advance(seconds(30 * DAY));
    let answer = browser.me(&app).await;
    answer.problem("unauthenticated", 401);
    assert_eq!(browser.cookies.len(), 0);
    let again = old.call(&app, Method::GET, "/api/auth/me").send().await;
    again.problem("unauthenticated", 401);
}

#[tokio::test]
async fn the_refresh_token_ends_with_the_first_cookie_and_showing_it_is_no_theft() {
    let (app, person) = start().await;
    let mut browser = Browser::signed_in(&app, &person.access_token).await;
    let shown = refresh(&app, &person.refresh_token).await;
    shown.problem("refresh_invalid", 401);
    browser.me(&app).await.expect(200);
    // The access token lives out its minutes.
    me(&app, &person.access_token).await.expect(200);
}

#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again() {
    let (app, person) = start().await;
    let first = Browser::signed_in(&app, &person.access_token).await;
    let mut again = Browser::signed_in(&app, &person.access_token).await;
    assert_eq!(first.header(), again.header());
    again.me(&app).await.expect(200);
}

#[tokio::test]
async fn an_old_sign_in_becomes_no_session_without_an_end() {
    let (app, person) = start().await;
    app.clock.advance(seconds(600));
    let tokens = refresh(&app, &person.refresh_token)
        .await
        .expect(200)
        .json();
    app.clock.advance(seconds(301));
    let stolen = testing::signed_in(&tokens).access_token;
    me(&app, &stolen).await.expect(200);
    let answer = ask(&app, &stolen).await;
    answer.problem("sign_in_too_old", 403);
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn signing_out_ends_it_on_every_replica_at_once() {
    let (app, person) = start().await;
    let other = app.replica().await;
    let mut browser = Browser::signed_in(&app, &person.access_token).await;
    let stolen = browser.clone();
    stolen.clone().me(&other).await.expect(200);
    let call = browser.call(&app, Method::POST, "/api/auth/logout");
    let answer = call.send().await.expect(204);
    browser.keep(&answer);
    assert_eq!(browser.cookies.len(), 0);
    for app in [&app, &other] {
        // The clock stands still, so no periodic reading helps.
        eventually("the replica refuses", || async {
            stolen.clone().me(app).await.status == 401
        })
        .await;
        let token = me(app, &person.access_token).await;
        token.problem("unauthenticated", 401);
    }
    // When memory has forgotten the revocation, Postgres has not.
    app.clock.advance(seconds(2 * DAY));
    stolen
        .clone()
        .me(&other)
        .await
        .problem("unauthenticated", 401);
}

#[tokio::test]
async fn another_device_a_token_and_a_closed_account_end_it_too() {
    let app = plan().start().await;
    let phone = fresh_phone();
    let lost = sign_in(&app, Role::Customer, &phone).await;
    let mut browser = Browser::signed_in(&app, &lost.access_token).await;
    app.clock.advance(seconds(30));
    let here = sign_in(&app, Role::Customer, &phone).await;
    let list = app.get("/api/auth/sessions").bearer(&here.access_token);
    let list = list.send().await.expect(200).json();
    let path = format!(
        "/api/auth/sessions/{}",
        list["items"][1]["id"].as_str().unwrap()
    );
    let call = app.delete(&path).bearer(&here.access_token);
    call.send().await.expect(204);
    browser.me(&app).await.problem("unauthenticated", 401);
    assert_eq!(browser.cookies.len(), 0);

    let mut browser = Browser::signed_in(&app, &here.access_token).await;
    let call = app.post("/api/auth/logout").bearer(&here.access_token);
    call.send().await.expect(204);
    browser.me(&app).await.problem("unauthenticated", 401);

    app.clock.advance(seconds(30));
    let closing = sign_in(&app, Role::Customer, &phone).await;
    let mut browser = Browser::signed_in(&app, &closing.access_token).await;
    let call = browser.call(&app, Method::DELETE, "/api/auth/me");
    browser.keep(&call.send().await.expect(204));
    assert_eq!(browser.cookies.len(), 0);
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_so_is_one_that_nobody_told_of() {
    let (app, person) = start().await;
    let mut browser = Browser::signed_in(&app, &person.access_token).await;
    let mut client = app.context().db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let directory = app.context().ports.directory.get().unwrap();
    let switched = directory.set_active(&tx, person.user_id, false).await;
    tx.commit().await.unwrap();
    switched.unwrap().unwrap().run().await;
    browser.me(&app).await.problem("unauthenticated", 401);

    let quiet = testing::customer(&app).await;
    let mut browser = Browser::signed_in(&app, &quiet.access_token).await;
    const SQL: &str = "UPDATE users SET is_active = false WHERE id = $1";
    app.database.execute(SQL, &[&quiet.user_id]).await;
    app.clock.advance(seconds(900));
    browser.me(&app).await.problem("unauthenticated", 401);
}

#[tokio::test]
async fn another_secret_signs_every_browser_out_and_leaves_tokens_alone() {
    let (app, person) = start().await;
    let mut browser = Browser::signed_in(&app, &person.access_token).await;
    let token = testing::customer(&app).await;
    let plan = app
        .another()
        .env("SESSION_SECRET", "another sixteen letters");
    let rotated = plan.start().await;
    browser.me(&rotated).await.problem("unauthenticated", 401);
    assert_eq!(browser.cookies.len(), 0);
    me(&rotated, &token.access_token).await.expect(200);
    // And nothing that the browser may have kept brings it back.
    let kept = refresh(&rotated, &person.refresh_token).await;
    kept.problem("refresh_invalid", 401);
}

#[tokio::test]
async fn while_postgres_is_away_a_fresh_cookie_is_good_and_one_that_is_due_waits() {
    let proxy = TcpProxy::to_postgres().await;
    let app = plan().postgres_through(&proxy).start().await;
    let person = testing::customer(&app).await;
    let mut browser = Browser::signed_in(&app, &person.access_token).await;
    proxy.cut();
    let sessions = app.context().ports.cookie_sessions.get().unwrap();
    let mut head = http::Request::new(()).into_parts().0;
    head.headers
        .insert("cookie", browser.header().parse().unwrap());
    let says = format!("{:?}", sessions.read(&head));
    assert!(says.starts_with("Signed"), "{says}");
    app.clock.advance(seconds(900));
    let answer = browser.me(&app).await;
    answer.problem("dependency_unavailable", 503);
    assert_eq!(browser.cookies.len(), 1);
    proxy.mend();
    eventually("it goes on", || async {
        browser.clone().me(&app).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn an_admin_gets_no_cookie() {
    let (app, _) = start().await;
    let admin = testing::admin(&app).await;
    let answer = ask(&app, &admin.access_token).await;
    answer.problem("forbidden", 403);
}

#[tokio::test]
async fn without_a_secret_there_are_none() {
    let app = crate::server::start().await;
    let person = testing::customer(&app).await;
    let answer = ask(&app, &person.access_token).await;
    answer.problem("cookie_sessions_off", 404);
    // Nothing has ended.
    refresh(&app, &person.refresh_token).await.expect(200);
    let answer = app
        .get("/api/auth/me")
        .header("cookie", "halobestie_session=x");
    let answer = answer.send().await;
    answer.problem("unauthenticated", 401);
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn a_short_secret_or_a_strange_domain_stops_the_start() {
    let short = TestApp::with(ENTRIES).env("SESSION_SECRET", "fifteen letters");
    let said = short.try_start().await.err().unwrap();
    assert!(
        said.contains("SESSION_SECRET") && said.contains("16"),
        "{said}"
    );
    assert!(!said.contains("fifteen"), "{said}");
    let strange = plan()
        .env("SESSION_COOKIE_DOMAIN", "example.org")
        .env("PUBLIC_BASE_URL", "https://api.example.com");
    let said = strange.try_start().await.err().unwrap();
    // Said with all that is wrong, as `config check` says it.
    let problem = "SESSION_COOKIE_DOMAIN (environment): expected";
    assert!(said.contains(problem), "{said}");
    let near = plan()
        .env("SESSION_COOKIE_DOMAIN", "ample.org")
        .env("PUBLIC_BASE_URL", "https://api.example.org");
    assert!(near.try_start().await.is_err());
}

#[tokio::test]
async fn codes_can_be_switched_off() {
    let app = TestApp::with(ENTRIES)
        .env("OTP_ENABLED", "false")
        .start()
        .await;
    let body = json!({"phone": fresh_phone(), "role": "customer"});
    let call = app.post("/api/auth/otp/request").json(&body);
    call.send().await.problem("otp_off", 404);
}
