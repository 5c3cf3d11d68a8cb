//! Drafts of one person, on one device.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::world::{etag, start, start_with};

#[tokio::test]
async fn a_draft_is_made_read_replaced_and_deleted() {
    let world = start().await;
    let me = world.person().await;
    let made = world
        .save(&me, "rule", &json!({"title": "One"}), None)
        .await
        .expect(201);
    let first = etag(&made);
    assert_eq!(made.json(), json!({"key": "rule", "etag": first}));
    let read = world.read(&me, "/api/drafts/rule").await.expect(200);
    assert_eq!(
        (read.json(), etag(&read)),
        (json!({"title": "One"}), first.clone())
    );
    assert_eq!(read.header("cache-control"), Some("private, no-cache"));
    assert_eq!(read.header("x-content-type-options"), Some("nosniff"));

    let replaced = world
        .save(&me, "rule", &json!({"title": "Two"}), Some(&first))
        .await;
    let second = etag(&replaced.expect(200));
    assert_ne!(second, first);
    let read = world.read(&me, "/api/drafts/rule").await.expect(200);
    assert_eq!(
        (read.json(), etag(&read)),
        (json!({"title": "Two"}), second)
    );

    world
        .by(&me, Method::DELETE, "/api/drafts/rule")
        .send()
        .await
        .expect(204);
    world
        .read(&me, "/api/drafts/rule")
        .await
        .problem("not_found", 404);
    let again = world
        .by(&me, Method::DELETE, "/api/drafts/rule")
        .send()
        .await;
    again.problem("not_found", 404);
}

#[tokio::test]
async fn what_was_sent_comes_back_byte_by_byte() {
    let world = start().await;
    let me = world.person().await;
    let text = "{ \"b\": 1.50,\n  \"a\": \"\\u0007 é\", \"b\": 2 }";
    let call = world.by(&me, Method::PUT, "/api/drafts/rule");
    call.body("application/json", text).send().await.expect(201);
    assert_eq!(
        world.read(&me, "/api/drafts/rule").await.expect(200).text(),
        text
    );
}

#[tokio::test]
async fn who_has_it_already_is_told_so() {
    let world = start().await;
    let me = world.person().await;
    let tag = world.saved(&me, "rule", &json!(1), None).await;
    let read = |known: String| {
        let call = world.by(&me, Method::GET, "/api/drafts/rule");
        call.header("if-none-match", &known).send()
    };
    let answer = read(tag.clone()).await.expect(304);
    assert_eq!((etag(&answer), answer.body.len()), (tag.clone(), 0));
    world.saved(&me, "rule", &json!(2), Some(&tag)).await;
    read(tag).await.expect(200);
}

#[tokio::test]
async fn nobody_sees_or_changes_somebody_elses() {
    let world = start().await;
    let (me, other) = (world.person().await, world.person().await);
    let tag = world.saved(&me, "rule", &json!("mine"), None).await;
    world
        .read(&other, "/api/drafts/rule")
        .await
        .problem("not_found", 404);
    world.saved(&other, "rule", &json!("theirs"), None).await;
    let call = world.by(&other, Method::DELETE, "/api/drafts/rule");
    call.header("if-match", &tag)
        .send()
        .await
        .problem("draft_changed", 412);
    let read = world.read(&me, "/api/drafts/rule").await.expect(200);
    assert_eq!(read.json(), "mine");
    world
        .app
        .get("/api/drafts/rule")
        .send()
        .await
        .problem("unauthenticated", 401);
}

#[tokio::test]
async fn a_draft_has_256_kib_of_json_and_a_plain_key() {
    let world = start().await;
    let me = world.person().await;
    let put = |path: &str, content_type, body: String| {
        world
            .by(&me, Method::PUT, path)
            .body(content_type, body)
            .send()
    };
    const JSON: &str = "application/json";
    let largest = format!("\"{}\"", "x".repeat(256 * 1024 - 2));
    put("/api/drafts/a", JSON, largest.clone())
        .await
        .expect(201);
    let larger = format!(" {largest}");
    put("/api/drafts/b", JSON, larger)
        .await
        .problem("body_too_large", 413);
    for wrong in ["", "{", "{} {}", "\"\u{1}\""] {
        let status = put("/api/drafts/c", JSON, wrong.to_owned()).await.status;
        assert!(status.is_client_error(), "{wrong:?}: {status}");
    }
    let form = put("/api/drafts/c", "text/plain", "{}".to_owned()).await;
    form.problem("unsupported_media_type", 415);
    for key in ["a%20b", "a%2Fb", "%C3%A9", &"x".repeat(65)] {
        let answer = put(&format!("/api/drafts/{key}"), JSON, "{}".to_owned()).await;
        answer.problem("not_found", 404);
    }
    assert_eq!(world.count("SELECT count(*) FROM drafts").await, 1);
}

#[tokio::test]
async fn one_person_has_so_many_drafts_and_no_more_also_of_many_at_once() {
    let world = start_with(&[("DRAFTS_PER_USER", "3")]).await;
    let (me, other) = (world.person().await, world.person().await);
    let keys: Vec<String> = (0..8).map(|it| format!("rule-{it}")).collect();
    let content = json!("x");
    let saving = keys.iter().map(|key| world.save(&me, key, &content, None));
    let mut statuses = Vec::new();
    for answer in join_all(saving).await {
        if answer.status != 201 {
            answer.problem("drafts_full", 409);
        }
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|it| **it == 201).count(), 3);
    world.saved(&other, "rule", &json!("x"), None).await;
}

#[tokio::test]
async fn the_list_is_the_callers_the_latest_made_first_in_pages() {
    let world = start().await;
    let (me, other) = (world.person().await, world.person().await);
    for key in ["a", "b", "c"] {
        world.saved(&me, key, &json!(key), None).await;
        world.app.clock.advance(crate::world::seconds(1));
    }
    world.saved(&other, "d", &json!(0), None).await;
    let first = world
        .read(&me, "/api/drafts?limit=2")
        .await
        .expect(200)
        .json();
    assert_eq!(keys(&first), ["c", "b"]);
    assert_eq!(first["items"][0]["bytes"], 3);
    assert_eq!(first["items"][0]["conflicts"], 0);
    assert_eq!(first["items"][0]["slug"], Value::Null);
    let cursor = first["next_cursor"].as_str().unwrap();
    let path = format!("/api/drafts?limit=2&cursor={cursor}");
    let second = world.read(&me, &path).await.expect(200).json();
    assert_eq!(
        (keys(&second), &second["next_cursor"]),
        (vec!["a"], &Value::Null)
    );
}

fn keys(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|it| it["key"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn closing_the_account_takes_everything_along() {
    let world = start().await;
    let me = world.person().await;
    let tag = world.saved(&me, "rule", &json!(1), None).await;
    world.saved(&me, "rule", &json!(2), Some(&tag)).await;
    world
        .save(&me, "rule", &json!(3), Some(&tag))
        .await
        .expect(412);
    let call = world.by(&me, Method::PUT, "/api/drafts/rule/publication");
    call.json(&json!({"slug": "rules"}))
        .send()
        .await
        .expect(201);
    world
        .by(&me, Method::DELETE, "/api/auth/me")
        .send()
        .await
        .expect(204);
    for sql in [
        "SELECT count(*) FROM drafts",
        "SELECT count(*) FROM draft_conflicts",
        "SELECT count(*) FROM publications",
        "SELECT count(*) FROM publication_versions",
    ] {
        assert_eq!(world.count(sql).await, 0, "{sql}");
    }
    world
        .app
        .get("/api/published/rules")
        .send()
        .await
        .problem("not_found", 404);
}
