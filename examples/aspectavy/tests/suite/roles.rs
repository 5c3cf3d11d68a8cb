//! Api and worker as two processes on the same data.

use std::time::Duration;

use halobestie_core::app::Role;
use halobestie_testkit::eventually;

use crate::world::{World, get, gpx, send};

#[tokio::test]
async fn an_api_that_wants_a_worker_is_ready_with_it_and_not_without() {
    let world = World::of(Role::Api, &[("READY_REQUIRES_WORKER", "true")]).await;
    let readyz_is = async |status: u16, worker: &str, passing: Duration| {
        // Looks are a second old at most.
        eventually("readiness follows", || async {
            world.app.clock.advance(passing);
            let answer = world.app.get("/readyz").send().await;
            let is_told = answer.json()["checks"]["worker"]["status"] == worker;
            answer.status == status && is_told
        })
        .await;
    };
    readyz_is(503, "absent", Duration::ZERO).await;
    let worker = world.app.another().role(Role::Worker).start().await;
    readyz_is(200, "ok", Duration::ZERO).await;
    // A crash: nobody says good-bye, but a last heartbeat may be on its way.
    drop(worker);
    readyz_is(503, "stale", Duration::from_secs(91)).await;
}

#[tokio::test]
async fn what_the_api_takes_the_worker_does() {
    let world = World::of(Role::Api, &[]).await;
    let worker = world.app.another().role(Role::Worker).start().await;
    let walker = world.walker().await;
    send(&world.app, &walker, &gpx("Together", 50))
        .await
        .expect(201);
    worker.finish_jobs().await;
    let list = get(&world.app, &walker, "/api/routes")
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"][0]["status"], "compiled");
    worker.run_sweep("forecast-sync").await;
    let calls = world.feed.calls().len();
    world.forecast("silvretta").await.expect(200);
    assert_eq!(world.feed.calls().len(), calls);
    // A worker answers nothing but probes.
    worker.get("/api/forecasts").send().await.expect(404);
}
