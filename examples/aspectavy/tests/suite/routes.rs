//! Files, cards, and who has them made.

use halobestie_core::app::Role;
use halobestie_testkit::TestApp;
use serde_json::Value;

use crate::world::{World, get, gpx, send};

fn path(route: &Value) -> String {
    format!("/api/routes/{}", route["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_worker_makes_the_card() {
    let world = World::start().await;
    let walker = world.walker().await;
    let sent = send(&world.app, &walker, &gpx("North face", 400)).await;
    let route = sent.expect(201).json();
    assert_eq!(route["status"], "compiling");
    world.app.finish_jobs().await;
    let list = get(&world.app, &walker, "/api/routes")
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"][0]["status"], "compiled");
    let card = &list["items"][0]["card"];
    assert_eq!(
        (&card["name"], &card["points"]),
        (&"North face".into(), &101.into())
    );
    assert_eq!(
        (&card["distance_m"], &card["ascent_m"]),
        (&1000.into(), &400.into())
    );
    assert_eq!(card["steepest"]["slope_degrees"], 21.8);
    let shown = get(&world.app, &walker, &path(&route))
        .await
        .expect(200)
        .json();
    assert_eq!(shown, list["items"][0]);
}

#[tokio::test]
async fn without_a_worker_whoever_asks_has_it_made_and_the_worker_finds_it_done() {
    let world = World::of(Role::Api, &[]).await;
    let walker = world.walker().await;
    let route = send(&world.app, &walker, &gpx("Ridge", 100))
        .await
        .expect(201)
        .json();
    let place = path(&route);
    let (one, other) = tokio::join!(
        get(&world.app, &walker, &place),
        get(&world.app, &walker, &place)
    );
    let (one, other) = (one.expect(200).json(), other.expect(200).json());
    assert_eq!((&one["status"], &one), (&"compiled".into(), &other));
    let worker = world.app.another().role(Role::Worker).start().await;
    worker.finish_jobs().await;
    let again = get(&world.app, &walker, &place).await.expect(200).json();
    assert_eq!(again, one);
    // It was told once: by the reader.
    world.app.stop().await;
    let ways: Vec<Value> = world
        .aptabase
        .events()
        .into_iter()
        .filter(|it| it.name == "route_compiled")
        .map(|it| it.body["props"]["way"].clone())
        .collect();
    assert_eq!(ways, ["inline"]);
}

#[tokio::test]
async fn the_same_file_is_the_same_route_and_another_persons_is_their_own() {
    let world = World::start().await;
    let (walker, other) = (world.walker().await, world.walker().await);
    let file = gpx("Couloir", 300);
    let first = send(&world.app, &walker, &file).await.expect(201).json();
    let again = send(&world.app, &walker, &file).await.expect(200).json();
    assert_eq!(first["id"], again["id"]);
    let theirs = send(&world.app, &other, &file).await.expect(201).json();
    assert_ne!(first["id"], theirs["id"]);
    let stolen = get(&world.app, &other, &path(&first)).await;
    stolen.problem("not_found", 404);
}

#[tokio::test]
async fn a_file_that_is_no_track_says_what_is_wrong() {
    let world = World::start().await;
    let walker = world.walker().await;
    for (file, problem) in [
        ("<kml/>", "GPX"),
        ("<gpx version=\"1.1\" creator=\"x\"></gpx>", "two points"),
        ("<!DOCTYPE gpx [<!ENTITY a \"b\">]><gpx/>", "GPX"),
    ] {
        let route = send(&world.app, &walker, file).await.expect(201).json();
        let shown = get(&world.app, &walker, &path(&route))
            .await
            .expect(200)
            .json();
        assert_eq!(shown["status"], "unreadable");
        let text = shown["problem"].as_str().unwrap();
        assert!(text.contains(problem), "{text}");
    }
    // It is done: no worker tries again.
    world.app.finish_jobs().await;
}

#[tokio::test]
async fn what_is_no_gpx_or_too_large_or_of_nobody_is_refused() {
    let world = World::start().await;
    let walker = world.walker().await;
    let post = || world.app.post("/api/routes").bearer(&walker.access_token);
    let json = post().json(&serde_json::json!({})).send().await;
    json.problem("unsupported_media_type", 415);
    let large = vec![b' '; 4 * 1024 * 1024 + 1];
    let large = post().body("application/gpx+xml", large).send().await;
    large.problem("body_too_large", 413);
    let nobody = world.app.post("/api/routes").send().await;
    nobody.problem("unauthenticated", 401);
}

#[tokio::test]
async fn lists_go_page_by_page_and_deleted_routes_are_gone() {
    let world = World::start().await;
    let walker = world.walker().await;
    let mut sent = Vec::new();
    for up in 1..=3 {
        let route = send(&world.app, &walker, &gpx("Up", up * 10)).await;
        sent.push(route.expect(201).json());
        world.app.clock.advance(std::time::Duration::from_secs(1));
    }
    let page = get(&world.app, &walker, "/api/routes?limit=2")
        .await
        .expect(200)
        .json();
    assert_eq!(page["items"][0]["id"], sent[2]["id"]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = get(&world.app, &walker, &format!("/api/routes?cursor={cursor}")).await;
    let rest = rest.expect(200).json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest["items"][0]["id"], sent[0]["id"]);
    let delete = || {
        world
            .app
            .delete(&path(&sent[0]))
            .bearer(&walker.access_token)
    };
    delete().send().await.expect(204);
    delete().send().await.problem("not_found", 404);
    // A job of a route that is gone has nothing to do.
    world.app.finish_jobs().await;
}

#[tokio::test]
async fn a_closed_account_leaves_no_route_and_no_tour() {
    let world = World::start().await;
    let walker = world.walker().await;
    send(&world.app, &walker, &gpx("Gone", 10))
        .await
        .expect(201);
    crate::world::walk(&world.app, &walker).await;
    let close = world
        .app
        .delete("/api/auth/me")
        .bearer(&walker.access_token);
    close.send().await.expect(204);
    for table in [
        "SELECT count(*) FROM routes",
        "SELECT count(*) FROM tours",
        "SELECT count(*) FROM tour_points",
    ] {
        let left: i64 = world.app.database.row(table, &[]).await.get(0);
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn nobody_has_more_routes_than_they_may() {
    let world = World::of(Role::Api, &[]).await;
    let walker = world.walker().await;
    fill(&world.app, &walker).await;
    let one_more = send(&world.app, &walker, &gpx("Too much", 7)).await;
    one_more.problem("too_many_routes", 409);
}

async fn fill(app: &TestApp, walker: &halobestie_auth::testing::SignedIn) {
    const SQL: &str = "INSERT INTO routes (id, owner_id, gpx, gpx_sha256, created_at)
        SELECT gen_random_uuid(), $1, '', int4send(number), now() FROM generate_series(1, 500) AS number";
    app.database.execute(SQL, &[&walker.user_id]).await;
}
