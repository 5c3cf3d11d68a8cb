//! Which starts are refused, what a module that is off leaves behind, and that no key gets into a message.

use halobestie_core::ports::Notice;
use halobestie_testkit::TestApp;
use serde_json::Value;

use crate::world::{AccountFile, ENTRIES, Firebase, Talk, World, accept, request};
use halobestie_auth::testing::{customer, mitra};

async fn refused(text: &str) -> String {
    let firebase = Firebase::start().await;
    let file = AccountFile::new(text);
    let path = file.path().display().to_string();
    let plan = firebase.plan().env("FIREBASE_SERVICE_ACCOUNT_PATH", &path);
    match plan.try_start().await {
        Ok(_) => panic!("started"),
        Err(problem) => problem,
    }
}

#[tokio::test]
async fn a_broken_file_is_named_with_the_field_that_is_broken() {
    let firebase = Firebase::start().await;
    let mut account: Value =
        serde_json::from_str(&firebase.sandbox.google.service_account()).unwrap();
    account["private_key"] = "c2VjcmV0".into();
    let problem = refused(&account.to_string()).await;
    assert!(
        problem.contains("FIREBASE_SERVICE_ACCOUNT_PATH"),
        "{problem}"
    );
    assert!(problem.contains("field private_key:"), "{problem}");
    assert!(!problem.contains("c2VjcmV0"), "{problem}");
    let problem = refused("no json").await;
    assert!(problem.contains("not JSON"), "{problem}");
}

#[tokio::test]
async fn fcm_without_its_file_is_refused() {
    let firebase = Firebase::start().await;
    for path in ["", "/nowhere/account.json"] {
        let plan = firebase.plan().env("FIREBASE_SERVICE_ACCOUNT_PATH", path);
        let problem = plan.try_start().await.err().unwrap();
        assert!(
            problem.contains("FIREBASE_SERVICE_ACCOUNT_PATH"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_key_that_lost_its_line_breaks_works() {
    let firebase = Firebase::start().await;
    let mut account: Value =
        serde_json::from_str(&firebase.sandbox.google.service_account()).unwrap();
    let key = account["private_key"]
        .as_str()
        .unwrap()
        .replace('\n', "\\n");
    account["private_key"] = key.into();
    let file = AccountFile::new(&account.to_string());
    let path = file.path().display().to_string();
    let plan = firebase.plan().env("FIREBASE_SERVICE_ACCOUNT_PATH", &path);
    let world = World {
        app: plan.start().await,
        firebase,
    };
    let (person, token) = world.customer("phone").await;
    world.notify(&[person.user_id], &crate::world::over()).await;
    world.pushes(&token, 1).await;
}

#[tokio::test]
async fn without_fcm_no_row_is_written() {
    let app = TestApp::with(ENTRIES)
        .env("FCM_ENABLED", "false")
        .start()
        .await;
    let (mitra, customer) = (mitra(&app).await, customer(&app).await);
    let online = app.post("/api/mitra/status/online");
    online.bearer(&mitra.access_token).send().await.expect(200);
    let offered = request(&app, &customer).await;
    let session = accept(&app, &mitra, &offered).await;
    let talk = Talk {
        customer,
        mitra,
        customer_token: String::new(),
        mitra_token: String::new(),
        id: session["id"].as_str().unwrap().to_owned(),
    };
    talk.send(&app, &talk.customer, "1").await;
    let end = app
        .post(&talk.path("/end"))
        .bearer(&talk.mitra.access_token);
    end.send().await.expect(200);
    let jobs: i64 = app
        .database
        .row("SELECT count(*) FROM jobs", &[])
        .await
        .get(0);
    assert_eq!(jobs, 0);
    assert!(app.context().ports.notifier.get().is_none());
    app.put("/api/devices")
        .bearer(&talk.mitra.access_token)
        .send()
        .await
        .expect(404);
}

#[tokio::test]
async fn what_is_rolled_back_is_not_told() {
    let world = World::start().await;
    let (person, token) = world.customer("phone").await;
    let cx = world.app.context();
    let mut client = cx.db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let notices = Notice::to_all(&[person.user_id], &crate::world::over());
    let noticed = cx.ports.notifier.get().unwrap().notify(&tx, &notices).await;
    drop(noticed.unwrap());
    drop(tx);
    drop(client);
    world.pushes(&token, 0).await;
    let jobs: i64 = world
        .app
        .database
        .row("SELECT count(*) FROM jobs", &[])
        .await
        .get(0);
    assert_eq!(jobs, 0);
}
