//! Sweeps, and the system around them.

use halobestie_core::app::Role;
use http::Method;
use serde_json::json;

use crate::server::world;

#[tokio::test]
async fn every_sweep_is_listed_and_runs_when_it_is_told_to() {
    let world = world().await;
    let list = world.get("/api/admin/sweeps").await;
    let items = list["items"].as_array().unwrap();
    let find = |name: &str| items.iter().find(|it| it["name"] == name).unwrap();
    assert_eq!(find("mitra-auto-offline")["every_seconds"], 30);
    assert_eq!(find("auth-cleanup")["last_run_at"], json!(null));
    let path = "/api/admin/sweeps/auth-cleanup/run";
    let ran = world
        .act(Method::POST, path, json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(ran["last_run_at"], json!(world.app.clock.now()));
    assert_eq!(ran["last_result"], "changed 0");
    assert!(ran["next_run_at"].is_string() && ran["last_duration_ms"].is_number());
    let deeds = world.deeds("sweep").await;
    assert_eq!(deeds[0]["subject"], "sweep:auth-cleanup");
    let unknown = world.act(Method::POST, "/api/admin/sweeps/nothing/run", json!({}));
    unknown.await.problem("not_found", 404);
}

#[tokio::test]
async fn a_process_that_only_serves_runs_a_sweep_under_its_lock() {
    let world = world().await;
    let api = world.app.another().role(Role::Api).start().await;
    let path = "/api/admin/sweeps/dashboard-minutes/run";
    let run = || {
        let call = api.internal_post(path).bearer(&world.owner.access_token);
        call.send()
    };
    let ran = run().await.expect(200).json();
    assert_eq!(ran["last_result"], "changed 1");
    // Somebody else is at it: the lock of the sweep is taken.
    let mut client = world.app.context().db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('dashboard-minutes', 0))";
    halobestie_core::pg::Query::execute(&tx, lock, &[])
        .await
        .unwrap();
    run().await.problem("sweep_running", 409);
    tx.commit().await.unwrap();
    run().await.expect(200);
}

#[tokio::test]
async fn the_system_names_its_modules_and_every_process_and_no_secret() {
    let world = world().await;
    let api = world.app.another().role(Role::Api).start().await;
    halobestie_testkit::eventually("both processes have signed", || async {
        let system = world.get("/api/admin/system").await;
        system["replicas"].as_array().unwrap().len() == 2
    })
    .await;
    let system = world.get("/api/admin/system").await;
    let roles = system["replicas"].as_array().unwrap().iter();
    let mut roles: Vec<_> = roles.map(|it| it["role"].as_str().unwrap()).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["all", "api"]);
    assert_eq!(system["readiness"]["checks"]["postgres"]["status"], "ok");
    let modules = system["modules"].to_string();
    assert!(modules.contains("control_center"), "{modules}");
    let config = system["config"].to_string();
    assert!(config.contains("[redacted]"));
    assert!(!config.contains("only the tests of this project know"));
    api.stop().await;
    let system = world.get("/api/admin/system").await;
    assert_eq!(system["replicas"].as_array().unwrap().len(), 1);
}
