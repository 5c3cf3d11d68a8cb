//! Sockets that a browser's cookie signs in.

use std::time::Duration;

use halobestie_auth::testing::{SignedIn, customer};
use halobestie_testkit::{TestApp, TestResponse, TestSocket};
use serde_json::json;

use crate::world::plan;

const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");

/// As long as a cookie is good by itself.
const FRESH: Duration = Duration::from_secs(86_400);

async fn start() -> TestApp {
    plan()
        .env("SESSION_SECRET", "sixteen letters.")
        .start()
        .await
}

/// Somebody, and the cookie of their browser.
async fn visitor(app: &TestApp) -> (SignedIn, String) {
    let me = customer(app).await;
    let call = app.post("/api/auth/cookie").bearer(&me.access_token);
    let cookie = kept(call.send().await.expect(200).header("set-cookie"));
    (me, cookie.unwrap())
}

/// What a browser keeps of a `Set-Cookie`.
fn kept(told: Option<&str>) -> Option<String> {
    let (pair, attributes) = told?.split_once("; ")?;
    (!attributes.contains("Max-Age=0")).then(|| pair.to_owned())
}

async fn by_cookie(app: &TestApp, cookie: &str) -> TestSocket {
    let opened = app.try_ws_with(&[("cookie", cookie), OURS]).await;
    opened.unwrap_or_else(|refusal| panic!("the socket was refused: {refusal}"))
}

async fn sign_out(app: &TestApp, cookie: &str) -> TestResponse {
    let call = app.post("/api/auth/logout").header("cookie", cookie);
    call.header(OURS.0, OURS.1).send().await
}

#[tokio::test]
async fn a_page_of_ours_opens_a_socket_by_its_cookie() {
    let app = start().await;
    let (me, cookie) = visitor(&app).await;
    let mut socket = by_cookie(&app, &cookie).await;
    let hello = socket.next().await;
    assert_eq!(hello["user"]["id"], me.user_id.to_string());
    // It goes on where a token would have to be followed by another one.
    app.clock.advance(FRESH);
    socket.send(&json!({"type": "ping", "id": "p"})).await;
    assert_eq!(socket.expect("pong").await["id"], "p");
    app.clock.advance(FRESH);
    socket.send(&json!({"type": "ping", "id": "q"})).await;
    assert_eq!(socket.expect("pong").await["id"], "q");
}

#[tokio::test]
async fn a_socket_by_a_cookie_ends_with_its_session() {
    let app = start().await;
    let (_, cookie) = visitor(&app).await;
    let mut socket = by_cookie(&app, &cookie).await;
    socket.expect("hello").await;
    sign_out(&app, &cookie).await.expect(204);
    assert_eq!(socket.close_code().await, 4403);
    // The cookie opens none any more, and the browser is told to forget it.
    let mut again = by_cookie(&app, &cookie).await;
    let told = again.handshake.get("set-cookie").unwrap().to_str().unwrap();
    assert!(told.contains("Max-Age=0"), "{told}");
    assert_eq!(again.close_code().await, 4401);
}

#[tokio::test]
async fn a_session_that_ended_unheard_ends_the_socket_when_it_is_asked_after() {
    let app = start().await;
    let (me, cookie) = visitor(&app).await;
    let mut socket = by_cookie(&app, &cookie).await;
    socket.expect("hello").await;
    let end =
        "UPDATE auth_sessions SET revoked_at = now(), revoke_reason = 'logout' WHERE user_id = $1";
    app.database.execute(end, &[&me.user_id]).await;
    app.clock.advance(FRESH);
    assert_eq!(socket.close_code().await, 4403);
}

#[tokio::test]
async fn a_cookie_that_is_due_is_renewed_by_the_handshake() {
    let app = start().await;
    let (me, cookie) = visitor(&app).await;
    app.clock.advance(FRESH);
    let mut socket = by_cookie(&app, &cookie).await;
    let told = socket.handshake.get("set-cookie").unwrap().to_str();
    assert_ne!(kept(told.ok()).unwrap(), cookie);
    let hello = socket.expect("hello").await;
    assert_eq!(hello["user"]["id"], me.user_id.to_string());
}

#[tokio::test]
async fn a_strange_page_opens_no_socket_by_its_visitors_cookie() {
    let app = start().await;
    let (me, cookie) = visitor(&app).await;
    for strange in [
        vec![("origin", "https://evil.test")],
        vec![
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.test"),
        ],
        vec![("sec-fetch-site", "same-site"), ("origin", "null")],
        vec![],
    ] {
        let headers = [vec![("cookie", cookie.as_str())], strange].concat();
        let refused = app.try_ws_with(&headers).await.err().unwrap();
        refused.problem("cross_site", 403);
    }
    // A token in the header is judged by itself, as everywhere.
    let bearer = format!("Bearer {}", me.access_token);
    let headers = [("cookie", cookie.as_str()), ("authorization", &bearer)];
    app.try_ws_with(&headers).await.ok().unwrap();
}

#[tokio::test]
async fn a_cookie_that_is_none_of_ours_signs_nobody_in() {
    let app = start().await;
    let mut forged = by_cookie(&app, "halobestie_session=forged").await;
    assert_eq!(forged.close_code().await, 4401);
    let (me, _) = visitor(&app).await;
    // Another site's cookies are nothing to us: the first frame signs in.
    let mut socket = by_cookie(&app, "theme=dark").await;
    socket
        .send(&json!({"type": "auth", "access_token": me.access_token}))
        .await;
    socket.expect("hello").await;
}
