//! Publishing a draft, in versions, and taking it back.

use halobestie_auth::testing::SignedIn;
use halobestie_testkit::TestResponse;
use http::Method;
use serde_json::{Value, json};

use crate::world::{World, etag, seconds, start, start_with};

const PUBLICATION: &str = "/api/drafts/rule/publication";
const SHOWN: &str = "/api/published/garden-rules";

async fn publish(world: &World, who: &SignedIn, slug: Option<&str>) -> TestResponse {
    let call = world.by(who, Method::PUT, PUBLICATION);
    call.json(&json!({"slug": slug})).send().await
}

async fn published() -> (World, SignedIn, String) {
    let world = start().await;
    let me = world.person().await;
    let tag = world
        .saved(&me, "rule", &json!({"title": "One"}), None)
        .await;
    let answer = publish(&world, &me, Some("garden-rules")).await.expect(201);
    assert_eq!(
        answer.json(),
        json!({"slug": "garden-rules", "version": 1, "url": SHOWN})
    );
    (world, me, tag)
}

#[tokio::test]
async fn everybody_reads_what_is_published_and_not_what_is_drafted_since() {
    let (world, me, tag) = published().await;
    let tag = world
        .saved(&me, "rule", &json!({"title": "Two"}), Some(&tag))
        .await;
    let shown = world.app.get(SHOWN).send().await.expect(200);
    assert_eq!(shown.header("cache-control"), Some("public, no-cache"));
    let first = etag(&shown);
    let body = shown.json();
    assert_eq!(
        (&body["version"], &body["content"]["title"]),
        (&json!(1), &json!("One"))
    );
    let known = world.app.get(SHOWN).header("if-none-match", &first);
    known.send().await.expect(304);

    let call = world
        .by(&me, Method::PUT, PUBLICATION)
        .header("if-match", &tag);
    let answer = call.json(&json!({})).send().await.expect(201);
    assert_eq!(answer.json()["version"], 2);
    let shown = world.app.get(SHOWN).header("if-none-match", &first);
    assert_eq!(
        shown.send().await.expect(200).json()["content"]["title"],
        "Two"
    );
    let old = world.app.get("/api/published/garden-rules/versions/1");
    assert_eq!(
        old.send().await.expect(200).json()["content"]["title"],
        "One"
    );
    let list = world
        .app
        .get("/api/published/garden-rules/versions")
        .send()
        .await;
    let items = list.expect(200).json()["items"].clone();
    assert_eq!(
        (&items[0]["version"], &items[1]["version"]),
        (&json!(2), &json!(1))
    );
    for path in [
        "/api/published/garden-rules/versions/3",
        "/api/published/other",
        "/api/published/A",
    ] {
        world.app.get(path).send().await.problem("not_found", 404);
    }
}

#[tokio::test]
async fn publishing_the_same_again_changes_nothing() {
    let (world, me, _) = published().await;
    let again = publish(&world, &me, Some("garden-rules")).await.expect(200);
    assert_eq!(again.json()["version"], 1);
}

#[tokio::test]
async fn only_the_version_that_was_seen_is_published() {
    let (world, me, seen) = published().await;
    world
        .saved(&me, "rule", &json!({"title": "Two"}), Some(&seen))
        .await;
    let call = world
        .by(&me, Method::PUT, PUBLICATION)
        .header("if-match", &seen);
    call.json(&json!({}))
        .send()
        .await
        .problem("draft_changed", 412);
    assert_eq!(
        world.app.get(SHOWN).send().await.expect(200).json()["version"],
        1
    );
}

#[tokio::test]
async fn what_is_unpublished_nobody_sees_and_its_slug_stays_its_own() {
    let (world, me, tag) = published().await;
    let other = world.person().await;
    world
        .by(&me, Method::DELETE, PUBLICATION)
        .send()
        .await
        .expect(204);
    for path in [
        SHOWN,
        "/api/published/garden-rules/versions",
        "/api/published/garden-rules/versions/1",
    ] {
        world.app.get(path).send().await.problem("not_found", 404);
    }
    let all = world
        .app
        .get("/api/published")
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(all["items"], json!([]));
    world.saved(&other, "rule", &json!(0), None).await;
    publish(&world, &other, Some("garden-rules"))
        .await
        .problem("slug_taken", 409);
    let mine = world
        .read(&me, "/api/publications")
        .await
        .expect(200)
        .json();
    assert_eq!(mine["items"][0]["is_public"], false);

    world
        .saved(&me, "rule", &json!({"title": "Two"}), Some(&tag))
        .await;
    let back = publish(&world, &me, None).await.expect(201);
    assert_eq!(back.json()["version"], 2);
    world.app.get(SHOWN).send().await.expect(200);
}

#[tokio::test]
async fn a_draft_that_is_gone_stays_published_until_it_is_taken_back() {
    let (world, me, _) = published().await;
    world
        .by(&me, Method::DELETE, "/api/drafts/rule")
        .send()
        .await
        .expect(204);
    world.app.get(SHOWN).send().await.expect(200);
    publish(&world, &me, None).await.problem("not_found", 404);
    world
        .by(&me, Method::DELETE, PUBLICATION)
        .send()
        .await
        .expect(204);
    world.app.get(SHOWN).send().await.problem("not_found", 404);
}

#[tokio::test]
async fn nobody_takes_back_somebody_elses() {
    let (world, _, _) = published().await;
    let other = world.person().await;
    let call = world.by(&other, Method::DELETE, PUBLICATION);
    call.send().await.problem("not_found", 404);
    world.app.get(SHOWN).send().await.expect(200);
}

#[tokio::test]
async fn a_slug_is_plain_needed_at_first_and_kept() {
    let (world, me, _) = published().await;
    publish(&world, &me, Some("other-rules"))
        .await
        .problem("slug_fixed", 409);
    let other = world.person().await;
    world.saved(&other, "rule", &json!(0), None).await;
    for slug in [
        None,
        Some(""),
        Some("ab"),
        Some("Garden"),
        Some("a b c"),
        Some("-abc"),
    ] {
        let problem = publish(&world, &other, slug)
            .await
            .problem("validation_failed", 422);
        assert_eq!(problem["errors"][0]["field"], "slug", "{slug:?}");
    }
}

#[tokio::test]
async fn everything_that_is_published_is_listed_in_pages() {
    let world = start_with(&[("PUBLICATIONS_PER_USER", "3")]).await;
    let me = world.person().await;
    for key in ["aaa", "bbb", "ccc", "ddd"] {
        world.saved(&me, key, &json!(key), None).await;
        let call = world.by(&me, Method::PUT, &format!("/api/drafts/{key}/publication"));
        let answer = call.json(&json!({"slug": key})).send().await;
        match key {
            "ddd" => drop(answer.problem("publications_full", 409)),
            _ => drop(answer.expect(201)),
        }
        world.app.clock.advance(seconds(1));
    }
    let page = world
        .app
        .get("/api/published?limit=2")
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(slugs(&page), ["ccc", "bbb"]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = world.app.get(&format!("/api/published?cursor={cursor}"));
    assert_eq!(slugs(&rest.send().await.expect(200).json()), ["aaa"]);
    let drafts = world.read(&me, "/api/drafts").await.expect(200).json();
    assert_eq!(drafts["items"][1]["slug"], "ccc");
}

fn slugs(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|it| it["slug"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_latest_twenty_versions_are_kept() {
    let (world, me, mut tag) = published().await;
    for number in 2..=22 {
        tag = world.saved(&me, "rule", &json!(number), Some(&tag)).await;
        publish(&world, &me, None).await.expect(201);
    }
    let list = world
        .app
        .get("/api/published/garden-rules/versions")
        .send()
        .await;
    let items = list.expect(200).json()["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(20));
    assert_eq!(
        (&items[0]["version"], &items[19]["version"]),
        (&json!(22), &json!(3))
    );
}
