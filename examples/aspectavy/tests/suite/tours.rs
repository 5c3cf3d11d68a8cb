//! Tours: points, their end, and who has the summary made.

use halobestie_auth::testing::SignedIn;
use halobestie_core::app::Role;
use halobestie_testkit::TestResponse;
use serde_json::{Value, json};

use crate::world::{World, add, finalise, get, walk};

#[tokio::test]
async fn a_worker_makes_the_summary() {
    let world = World::start().await;
    let walker = world.walker().await;
    let id = walk(&world.app, &walker).await;
    let path = format!("/api/tours/{id}");
    let tour = get(&world.app, &walker, &path).await.expect(200).json();
    assert_eq!(tour["status"], "recording");
    let ended = finalise(&world.app, &walker, &id).await.expect(202).json();
    assert_eq!(ended["status"], "finalising");
    world.app.finish_jobs().await;
    let tour = get(&world.app, &walker, &path).await.expect(200).json();
    assert_eq!(tour["status"], "finalised");
    let summary = &tour["summary"];
    assert_eq!(summary["duration_seconds"], 600);
    assert_eq!(
        (&summary["distance_m"], &summary["ascent_m"]),
        (&json!(500), &json!(200))
    );
    assert_eq!(summary["points"], 11);
}

#[tokio::test]
async fn without_a_worker_the_first_who_asks_has_it_made_once_on_two_replicas() {
    let world = World::of(Role::Api, &[]).await;
    let other = world.app.another().role(Role::Api).start().await;
    let walker = world.walker().await;
    let id = walk(&world.app, &walker).await;
    let path = format!("/api/tours/{id}");
    finalise(&world.app, &walker, &id).await.expect(202);
    let (here, there) = tokio::join!(get(&world.app, &walker, &path), get(&other, &walker, &path));
    let (here, there) = (here.expect(200).json(), there.expect(200).json());
    assert_eq!((&here["status"], &here), (&json!("finalised"), &there));
    let worker = world.app.another().role(Role::Worker).start().await;
    worker.finish_jobs().await;
    assert_eq!(get(&world.app, &walker, &path).await.json(), here);
    world.app.stop().await;
    other.stop().await;
    worker.stop().await;
    // Both may have worked; one result was kept, and told.
    let told = world.aptabase.events().into_iter();
    assert_eq!(told.filter(|it| it.name == "tour_finalised").count(), 1);
}

#[tokio::test]
async fn points_may_come_twice_and_in_any_order_until_the_end() {
    let world = World::start().await;
    let walker = world.walker().await;
    let id = walk(&world.app, &walker).await;
    add(&world.app, &walker, &id, 15..21).await.expect(204);
    add(&world.app, &walker, &id, 5..18).await.expect(204);
    let first = finalise(&world.app, &walker, &id).await.expect(202).json();
    world.app.clock.advance(std::time::Duration::from_secs(60));
    let again = finalise(&world.app, &walker, &id).await.expect(202).json();
    assert_eq!(first["ended_at"], again["ended_at"]);
    let late = add(&world.app, &walker, &id, 21..22).await;
    late.problem("tour_ended", 409);
    let tour = get(&world.app, &walker, &format!("/api/tours/{id}"))
        .await
        .json();
    assert_eq!(tour["summary"]["points"], 21);
    assert_eq!(tour["summary"]["duration_seconds"], 1200);
}

#[tokio::test]
async fn what_is_no_point_is_refused_with_all_that_came_with_it() {
    let world = World::start().await;
    let walker = world.walker().await;
    let id = walk(&world.app, &walker).await;
    let post = async |points: Value| {
        let call = world.app.post(&format!("/api/tours/{id}/points"));
        let call = call.bearer(&walker.access_token);
        call.json(&json!({ "points": points })).send().await
    };
    let point =
        |latitude: f64| json!({"at": "2026-01-15T09:00:00Z", "latitude": latitude, "longitude": 1});
    let wrong = post(json!([point(47.0), point(91.0)])).await;
    let problem = wrong.problem("validation_failed", 422);
    assert_eq!(problem["errors"][0]["field"], "points.1");
    post(json!([])).await.problem("validation_failed", 422);
    let many: Vec<Value> = (0..1_001).map(|_| point(47.0)).collect();
    post(json!(many)).await.problem("validation_failed", 422);
    finalise(&world.app, &walker, &id).await.expect(202);
    let tour = get(&world.app, &walker, &format!("/api/tours/{id}"))
        .await
        .json();
    assert_eq!(tour["summary"]["points"], 11);
}

#[tokio::test]
async fn somebody_elses_tour_is_not_there() {
    let world = World::start().await;
    let (walker, other) = (world.walker().await, world.walker().await);
    let id = walk(&world.app, &walker).await;
    get(&world.app, &other, &format!("/api/tours/{id}"))
        .await
        .problem("not_found", 404);
    add(&world.app, &other, &id, 0..1)
        .await
        .problem("not_found", 404);
    finalise(&world.app, &other, &id)
        .await
        .problem("not_found", 404);
}

#[tokio::test]
async fn nobody_records_more_tours_at_once_than_they_may() {
    let world = World::start().await;
    let walker = world.walker().await;
    let begin = async || {
        let call = world.app.post("/api/tours").bearer(&walker.access_token);
        call.send().await
    };
    let mut tours = Vec::new();
    for _ in 0..5 {
        tours.push(begin().await.expect(201).json());
    }
    begin().await.problem("too_many_tours", 409);
    let id = tours[0]["id"].as_str().unwrap();
    finalise(&world.app, &walker, id).await.expect(202);
    begin().await.expect(201);
}

async fn delete(world: &World, walker: &SignedIn, id: &str) -> TestResponse {
    let call = world.app.delete(&format!("/api/tours/{id}"));
    call.bearer(&walker.access_token).send().await
}

#[tokio::test]
async fn tours_are_listed_page_by_page_and_deleted_with_their_points() {
    let world = World::start().await;
    let (walker, other) = (world.walker().await, world.walker().await);
    walk(&world.app, &other).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        // The newest is told by its time.
        world.app.clock.advance(std::time::Duration::from_secs(1));
        ids.push(walk(&world.app, &walker).await);
    }
    let page = get(&world.app, &walker, "/api/tours?limit=2").await;
    let page = page.expect(200).json();
    assert_eq!(page["items"][0]["id"], ids[2]);
    assert_eq!(page["items"][0]["status"], "recording");
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = get(&world.app, &walker, &format!("/api/tours?cursor={cursor}")).await;
    let rest = rest.expect(200).json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&rest["items"][0]["id"], &rest["next_cursor"]),
        (&json!(ids[0]), &json!(null))
    );

    delete(&world, &other, &ids[0])
        .await
        .problem("not_found", 404);
    finalise(&world.app, &walker, &ids[0]).await.expect(202);
    delete(&world, &walker, &ids[0]).await.expect(204);
    delete(&world, &walker, &ids[0])
        .await
        .problem("not_found", 404);
    // A job of a tour that is gone has nothing to do.
    world.app.finish_jobs().await;
    let points = "SELECT count(DISTINCT tour_id) FROM tour_points";
    let left: i64 = world.app.database.row(points, &[]).await.get(0);
    assert_eq!(left, 3);
}

#[tokio::test]
async fn nobody_keeps_more_tours_than_they_may() {
    const FILL: &str = "INSERT INTO tours (id, owner_id, started_at, ended_at)
        SELECT gen_random_uuid(), $1, now(), now() FROM generate_series(1, 500)";
    let world = World::of(Role::Api, &[]).await;
    let walker = world.walker().await;
    world.app.database.execute(FILL, &[&walker.user_id]).await;
    let begin = async || {
        let call = world.app.post("/api/tours").bearer(&walker.access_token);
        call.send().await
    };
    begin().await.problem("tours_full", 409);
    let page = get(&world.app, &walker, "/api/tours?limit=1")
        .await
        .expect(200)
        .json();
    let id = page["items"][0]["id"].as_str().unwrap();
    delete(&world, &walker, id).await.expect(204);
    begin().await.expect(201);
    begin().await.problem("tours_full", 409);
}
