//! A mitra is deactivated in one transaction over the ports of two modules, and is gone everywhere.

use halobestie::modules::COMPILED;
use halobestie_auth::testing::{self, OTP_CODE, SignedIn, fresh_phone};
use halobestie_core::ports::Role;
use halobestie_testkit::{TestApp, eventually};
use serde_json::{Value, json};

/// As the control center does it: one transaction, and what follows from it after the commit.
async fn set_active(app: &TestApp, mitra: &SignedIn, is_active: bool) {
    let mitra_id = mitra.user_id;
    let (db, ports) = (app.context().db.clone(), &app.context().ports);
    let (directory, availability) = (
        ports.directory.get().unwrap(),
        ports.availability.get().unwrap(),
    );
    let mut client = db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let person = directory.set_active(&tx, mitra_id, is_active).await;
    let mitra = availability.set_active(&tx, mitra_id, is_active).await;
    tx.commit().await.unwrap();
    person.unwrap().expect("there is such a person").run().await;
    mitra.unwrap().run().await;
}

async fn post(app: &TestApp, person: &SignedIn, path: &str, body: Value) -> Value {
    let call = app.post(path).bearer(&person.access_token).json(&body);
    call.send().await.json()
}

async fn counted(app: &TestApp) -> Value {
    let beacon = app.get("/api/customer/availability").send().await;
    beacon.expect(200).json()["available_mitras"].clone()
}

#[tokio::test]
async fn a_deactivated_mitra_is_gone_on_every_replica_and_may_come_back() {
    let app = TestApp::with(COMPILED).start().await;
    let replica = app.replica().await;
    let phone = fresh_phone();
    testing::register_mitra(&app, &phone, "Ayu").await;
    let mitra = testing::sign_in(&app, Role::Mitra, &phone).await;
    let customer = testing::customer(&app).await;
    post(&app, &mitra, "/api/mitra/status/online", json!({})).await;
    let mut socket = replica.ws(Some(&mitra.access_token)).await;
    socket.expect("hello").await;
    let wish = json!({"package_id": "15m"});
    let open = post(&app, &customer, "/api/customer/chat/requests", wish).await;
    assert_eq!(open["offered_to"], 1, "{open}");
    socket.expect("offer.new").await;

    set_active(&app, &mitra, false).await;
    assert_eq!(socket.close_code().await, 4403);
    for server in [&app, &replica] {
        for path in ["/api/mitra/status/heartbeat", "/api/mitra/status/online"] {
            let refused = server.post(path).bearer(&mitra.access_token).send().await;
            refused.problem("unauthenticated", 401);
        }
        let refresh = json!({"refresh_token": mitra.refresh_token});
        let refused = server.post("/api/auth/refresh").json(&refresh).send().await;
        refused.problem("refresh_invalid", 401);
        assert_eq!(counted(server).await, 0);
    }
    eventually("the offer is withdrawn", || async {
        let path = format!(
            "/api/customer/chat/requests/{}",
            open["id"].as_str().unwrap()
        );
        let call = app.get(&path).bearer(&customer.access_token);
        call.send().await.expect(200).json()["offered_to"] == 0
    })
    .await;
    // The same phone may ask for the next code.
    app.clock.advance(std::time::Duration::from_secs(31));
    let asked = json!({"phone": phone, "role": "mitra"});
    let code = app.post("/api/auth/otp/request").json(&asked).send().await;
    let shown = json!({"otp_id": code.expect(202).json()["otp_id"], "code": OTP_CODE});
    let refused = app.post("/api/auth/otp/verify").json(&shown).send().await;
    refused.problem("account_disabled", 403);

    set_active(&replica, &mitra, true).await;
    app.clock.advance(std::time::Duration::from_secs(31));
    let back = testing::sign_in(&replica, Role::Mitra, &phone).await;
    let status = post(&replica, &back, "/api/mitra/status/online", json!({})).await;
    assert_eq!(
        (&status["online"], &status["active"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(counted(&replica).await, 1);
}
