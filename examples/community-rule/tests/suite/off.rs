//! A server that keeps no drafts.

use http::Method;
use serde_json::json;

use crate::world::start_with;

#[tokio::test]
async fn every_call_is_answered_503_whoever_asks_and_nothing_is_kept() {
    let world = start_with(&[("ENABLE_BACKEND_SYNC", "false")]).await;
    let me = world.person().await;
    for (method, path) in [
        (Method::GET, "/api/drafts"),
        (Method::GET, "/api/drafts/rule"),
        (Method::PUT, "/api/drafts/rule"),
        (Method::DELETE, "/api/drafts/rule"),
        (Method::GET, "/api/drafts/rule/conflicts"),
        (Method::PUT, "/api/drafts/rule/publication"),
        (Method::GET, "/api/publications"),
        (Method::GET, "/api/published"),
        (Method::GET, "/api/published/rules"),
    ] {
        let call = world
            .by(&me, method.clone(), path)
            .json(&json!({"slug": "rules"}));
        let answer = call.send().await;
        answer.problem("sync_disabled", 503);
        assert_eq!(answer.retry_after(), 3600);
        let anybody = world.app.call(method, path).json(&json!(1)).send().await;
        anybody.problem("sync_disabled", 503);
    }
    assert_eq!(world.count("SELECT count(*) FROM drafts").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM publications").await, 0);
    // Signing in goes on as before.
    world.read(&me, "/api/auth/me").await.expect(200);
}

#[tokio::test]
async fn what_was_kept_before_is_there_when_it_is_switched_on_again() {
    let world = start_with(&[]).await;
    let me = world.person().await;
    world.saved(&me, "rule", &json!(1), None).await;
    let off = world
        .app
        .another()
        .env("ENABLE_BACKEND_SYNC", "false")
        .start()
        .await;
    let call = off.get("/api/drafts/rule").bearer(&me.access_token);
    call.send().await.problem("sync_disabled", 503);
    world.read(&me, "/api/drafts/rule").await.expect(200);
}
