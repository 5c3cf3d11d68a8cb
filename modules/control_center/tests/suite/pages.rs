//! The pages: signing in, who may send what, and what is around them.

use halobestie_auth::testing;
use halobestie_core::ports::AdminRole;
use halobestie_testkit::{TestApp, TestResponse};
use http::Method;

use crate::server::{ENTRIES, say, session, world};

const EMAIL: &str = "ratu@halobestie.test";
const PASSWORD: &str = "correct horse battery";

async fn send(app: &TestApp, password: &str) -> TestResponse {
    let form = format!(
        "email={EMAIL}&password={}&next=%2Fsweeps",
        password.replace(' ', "+")
    );
    app.internal_post("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .body("application/x-www-form-urlencoded", form)
        .send()
        .await
}

fn cookie_of(answer: &TestResponse) -> String {
    let set = answer.header("set-cookie").expect("a cookie is set");
    set.split(';').next().unwrap().to_owned()
}

/// The cookie of a new admin with this role, by the form.
pub(crate) async fn cookie(app: &TestApp, role: AdminRole) -> String {
    testing::register_admin_as(app, EMAIL, PASSWORD, role).await;
    cookie_of(&send(app, PASSWORD).await.expect(303))
}

async fn page(app: &TestApp, path: &str, cookie: &str) -> TestResponse {
    app.internal_get(path).header("cookie", cookie).send().await
}

#[tokio::test]
async fn the_right_password_leads_to_the_page_that_was_wanted() {
    let app = TestApp::start(ENTRIES).await;
    testing::register_admin(&app, EMAIL, PASSWORD).await;
    let answer = send(&app, PASSWORD).await.expect(303);
    assert_eq!(answer.header("location"), Some("/sweeps"));
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with("halobestie_cc="), "{set}");
    assert!(
        set.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
        "{set}"
    );
    let cookie = cookie_of(&answer);
    let dashboard = page(&app, "/", &cookie).await.expect(200).text();
    assert!(dashboard.contains("online mitras"), "{dashboard}");
    assert!(dashboard.contains("Sign out"), "{dashboard}");
}

#[tokio::test]
async fn a_wrong_password_is_said_beside_the_form_and_limited() {
    let app = TestApp::start(ENTRIES).await;
    testing::register_admin(&app, EMAIL, PASSWORD).await;
    for _ in 0..5 {
        let answer = send(&app, "wrong").await.expect(401);
        assert!(
            answer
                .text()
                .contains("The email or the password is wrong.")
        );
        assert!(answer.header("set-cookie").is_none());
    }
    let answer = send(&app, PASSWORD).await.expect(429);
    assert!(answer.header("retry-after").is_some());
    // The same limit as that of the API.
    let body = serde_json::json!({"email": EMAIL, "password": PASSWORD});
    let login = app.internal_post("/api/admin/auth/login").json(&body);
    login.send().await.problem("rate_limited", 429);
}

#[tokio::test]
async fn over_tls_the_cookie_is_of_this_host_alone() {
    let plan = TestApp::with(ENTRIES).env("TRUSTED_PROXIES", "127.0.0.0/8");
    let app = plan.start().await;
    testing::register_admin(&app, EMAIL, PASSWORD).await;
    let form = format!("email={EMAIL}&password={}", PASSWORD.replace(' ', "+"));
    let sign_in = app
        .internal_post("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .header("x-forwarded-proto", "https")
        .body("application/x-www-form-urlencoded", form);
    let answer = sign_in.send().await.expect(303);
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-halobestie_cc="), "{set}");
    assert!(set.contains("; Secure"), "{set}");
    let cookie = cookie_of(&answer);
    let by_tls = app
        .internal_get("/")
        .header("cookie", &cookie)
        .header("x-forwarded-proto", "https");
    by_tls.send().await.expect(200);
    // The same cookie in the open is none.
    page(&app, "/", &cookie).await.expect(303);
}

#[tokio::test]
async fn what_another_site_sends_is_refused() {
    let app = TestApp::start(ENTRIES).await;
    let cookie = cookie(&app, AdminRole::Owner).await;
    let host = app.internal_address().to_string();
    let send = |headers: Vec<(&'static str, String)>| {
        let mut call = app.internal_post("/sweeps/core-cleanup/run");
        for (name, value) in &headers {
            call = call.header(name, value);
        }
        call.header("cookie", &cookie).send()
    };
    for refused in [
        vec![],
        vec![("sec-fetch-site", "cross-site".to_owned())],
        vec![("sec-fetch-site", "same-site".to_owned())],
        vec![("origin", "http://evil.test".to_owned())],
        vec![("origin", "null".to_owned())],
    ] {
        let answer = send(refused.clone()).await;
        assert_eq!(answer.status, 403, "{refused:?}: {answer}");
    }
    for taken in [
        vec![("sec-fetch-site", "same-origin".to_owned())],
        vec![("origin", format!("http://{host}"))],
    ] {
        send(taken).await.expect(303);
    }
    let from_elsewhere = app
        .internal_post("/sign-in")
        .header("sec-fetch-site", "cross-site")
        .body("application/x-www-form-urlencoded", "email=a&password=b");
    from_elsewhere.send().await.expect(403);
}

#[tokio::test]
async fn a_link_on_another_site_finds_the_admin_signed_in() {
    let app = TestApp::start(ENTRIES).await;
    // A strict cookie does not come with such a link; the bounce brings the browser back with it.
    let link = app
        .internal_get("/sweeps?a=1&b=2")
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "navigate");
    let text = link.send().await.expect(200).text();
    assert!(text.contains("url=/sweeps?a=1&#38;b=2"), "{text}");
}

#[tokio::test]
async fn a_sign_out_ends_the_session_here_and_in_the_api() {
    let app = TestApp::start(ENTRIES).await;
    let cookie = cookie(&app, AdminRole::Viewer).await;
    let out = app
        .internal_post("/sign-out")
        .header("cookie", &cookie)
        .header("sec-fetch-site", "same-origin");
    let answer = out.send().await.expect(303);
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    page(&app, "/", &cookie).await.expect(303);
}

#[tokio::test]
async fn a_page_session_ends_when_nobody_uses_it() {
    let app = TestApp::start(ENTRIES).await;
    let cookie = cookie(&app, AdminRole::Viewer).await;
    for _ in 0..3 {
        app.clock.advance(std::time::Duration::from_secs(11 * 3600));
        page(&app, "/", &cookie).await.expect(200);
    }
    app.clock.advance(std::time::Duration::from_secs(12 * 3600));
    page(&app, "/", &cookie).await.expect(303);
}

#[tokio::test]
async fn a_cookie_is_no_refresh_token_and_a_refresh_token_no_cookie() {
    let world = world().await;
    let app = &world.app;
    let forged = format!("halobestie_cc={}", world.owner.refresh_token);
    page(app, "/", &forged).await.expect(303);
    let cookie = cookie(app, AdminRole::Owner).await;
    let (_, token) = cookie.split_once('=').unwrap();
    let body = serde_json::json!({"refresh_token": token});
    let refresh = app.internal_post("/api/admin/auth/refresh").json(&body);
    assert_eq!(refresh.send().await.status, 401);
}

/// What people may call themselves, and must stay text wherever it is shown.
const MARKUP: &str = "<b onclick=x>Ayu</b>";
const AS_TEXT: &str = "&#60;b onclick=x&#62;Ayu&#60;/b&#62;";

/// Every page that there is, with something real to show, and with names that would be markup.
async fn pages_with_contents(app: &TestApp) -> Vec<String> {
    let (mitra, customer, session_id) = session(app).await;
    say(app, &customer, &session_id, MARKUP).await;
    let report = app
        .post(&format!("/api/chat/sessions/{session_id}/report"))
        .bearer(&customer.access_token)
        .json(&serde_json::json!({"reason": MARKUP, "details": MARKUP}));
    let report_id = report.send().await.expect(201).json()["id"].clone();
    let sql = "UPDATE users SET display_name = $1";
    app.database.execute(sql, &[&MARKUP]).await;
    let sql = "SELECT (SELECT id::text FROM chat_requests), (SELECT id::text FROM users WHERE role = 'admin')";
    let row = app.database.row(sql, &[]).await;
    let (request_id, admin_id): (String, String) = (row.get(0), row.get(1));
    let pages = app.mounted().pages.clone();
    let pages = pages.iter().filter(|(method, _)| method == "GET");
    let filled = pages.filter_map(|(_, path)| {
        let id = match path.as_str() {
            // A stream, a file, and what payments there are not.
            "/events" | "/assets/{file}" | "/payments/{id}" => return None,
            "/mitras/{id}" => mitra.user_id.to_string(),
            "/customers/{id}" => customer.user_id.to_string(),
            "/sessions/{id}" => session_id.clone(),
            "/requests/{id}" => request_id.clone(),
            "/reports/{id}" => report_id.as_str().unwrap().to_owned(),
            "/admins/{id}" => admin_id.clone(),
            "/config/{key}" => "packages".to_owned(),
            path => {
                assert!(!path.contains('{'), "nothing real is known for {path}");
                return Some(path.to_owned());
            }
        };
        let (before, _) = path.split_once('{').unwrap();
        Some(format!("{before}{id}"))
    });
    filled.collect()
}

#[tokio::test]
async fn every_page_runs_nothing_inline_and_stands_in_no_frame() {
    let app = TestApp::start(ENTRIES).await;
    let cookie = cookie(&app, AdminRole::Owner).await;
    let pages = pages_with_contents(&app).await;
    assert!(pages.len() > 20, "{pages:?}");
    let mut names = 0;
    for path in pages {
        let answer = page(&app, &path, &cookie).await;
        // Whoever is signed in is led on from the sign-in, and from nowhere else.
        if path == "/sign-in" {
            answer.expect(303);
            continue;
        }
        let answer = answer.expect(200);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        let text = answer.text();
        names += text.matches(AS_TEXT).count();
        let text = text.replace(AS_TEXT, "");
        for inline in [
            "<script>",
            "<style",
            " style=",
            " onclick=",
            " hx-on",
            "javascript:",
        ] {
            assert!(!text.contains(inline), "{path} has {inline}");
        }
    }
    assert!(names > 20, "names are shown, as text: {names}");
}

#[tokio::test]
async fn an_asset_is_kept_for_good_under_its_mark() {
    let app = TestApp::start(ENTRIES).await;
    let text = app.internal_get("/sign-in").send().await.expect(200).text();
    let from = text.find("/assets/cc.css?v=").expect("the sheet is named");
    let address = text[from..].split('"').next().unwrap();
    let answer = app.internal_get(address).send().await.expect(200);
    assert!(
        answer
            .header("cache-control")
            .unwrap()
            .contains("immutable")
    );
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/css")
    );
    let unmarked = app.internal_get("/assets/cc.css").send().await.expect(200);
    assert_eq!(unmarked.header("cache-control"), Some("no-cache"));
    app.internal_get("/assets/nothing.js")
        .send()
        .await
        .expect(404);
}

#[tokio::test]
async fn a_page_that_cannot_be_is_a_page_that_says_so() {
    let app = TestApp::start(ENTRIES).await;
    let cookie = cookie(&app, AdminRole::Owner).await;
    let answer = app
        .internal(Method::POST, "/sweeps/nothing/run")
        .header("cookie", &cookie)
        .header("sec-fetch-site", "same-origin");
    let answer = answer.send().await.expect(404);
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(answer.text().contains("Not found"));
}
