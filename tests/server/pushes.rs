//! A worker process is killed in the middle of a thousand pushes.

use std::collections::HashMap;
use std::time::Duration;

use halobestie::modules::COMPILED;
use halobestie_auth::testing::{SignedIn, customer};
use halobestie_core::app::Role;
use halobestie_core::clock::Clock;
use halobestie_core::ports::{News, Notice};
use halobestie_sandbox::Sandbox;
use halobestie_testkit::{TestApp, TestDb, eventually};
use serde_json::json;

use crate::process::Environment;

const PUSHES: usize = 1_000;
/// What one worker has under way at once.
const UNDER_WAY_MAX: usize = 200;

async fn say_so_often(app: &TestApp, person: &SignedIn) {
    let cx = app.context();
    let over = |_| Notice {
        user_id: person.user_id,
        news: News::SessionUpdated {
            session_id: cx.entropy.uuid(&cx.clock),
            status: "ended".to_owned(),
            end_reason: None,
        },
    };
    let notices: Vec<Notice> = (0..PUSHES).map(over).collect();
    let mut client = cx.db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let notifier = cx.ports.notifier.get().unwrap();
    let noticed = notifier.notify(&tx, &notices).await.unwrap();
    tx.commit().await.unwrap();
    noticed.run().await;
}

#[tokio::test]
async fn a_killed_worker_loses_no_push_and_doubles_at_most_those_under_way() {
    let sandbox = Sandbox::builder().keep(2 * PUSHES).start().await.unwrap();
    let google = &sandbox.google;
    let database = TestDb::create(COMPILED).await;
    let name = format!("halobestie-killed-worker-{}.json", std::process::id());
    let account = std::env::temp_dir().join(name);
    google.write_service_account(&account).unwrap();
    let plan = TestApp::with(COMPILED).database(&database);
    let mut plan = plan.clock(Clock::system()).role(Role::Api);
    let mut environment = Environment::over(&database);
    for (name, value) in google.variables(&account) {
        plan = plan.env(name, &value);
        environment = environment.with(name, &value);
    }
    let app = plan.start().await;
    let person = customer(&app).await;
    let body = json!({"token": google.device("phone"), "platform": "android"});
    let call = app.put("/api/devices").bearer(&person.access_token);
    call.json(&body).send().await.expect(204);
    say_so_often(&app, &person).await;

    google.knobs.delay(Duration::from_millis(50));
    let killed = environment.serve(&["worker"]).await;
    eventually("it is in the middle", || async { google.accepted() > 200 }).await;
    killed.signal("KILL").await;
    assert_eq!(killed.exit_code().await, None, "it did not end by itself");
    let sent_before = google.accepted();
    assert!(sent_before < PUSHES as u64, "{sent_before}");

    google.knobs.delay(Duration::ZERO);
    // As if its leases were over.
    let over = "UPDATE jobs SET due_at = now() WHERE state = 'running'";
    database.execute(over, &[]).await;
    let next = environment.serve(&["worker"]).await;
    let left = "SELECT EXISTS (SELECT FROM jobs WHERE kind IN ('tell-devices', 'send-push')
        AND finished_at IS NULL)";
    eventually("everything is sent", || async {
        !database.row(left, &[]).await.get::<_, bool>(0)
    })
    .await;
    assert_eq!(next.terminate().await, Some(0));
    let _ = std::fs::remove_file(account);
    let mut times: HashMap<String, usize> = HashMap::new();
    for push in google.pushes() {
        *times
            .entry(push.data("session_id").unwrap().to_owned())
            .or_default() += 1;
    }
    assert_eq!(times.len(), PUSHES, "none is lost");
    let doubled = times.values().filter(|it| **it > 1).count();
    assert!(doubled <= UNDER_WAY_MAX, "{doubled}");
}
