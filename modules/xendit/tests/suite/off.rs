//! `XENDIT_ENABLED=false`: as if the module were not there.

use halobestie_auth::testing::{admin, customer, mitra};
use halobestie_testkit::{TestApp, TestDb};
use serde_json::json;

use crate::world::{ENTRIES, text};

#[tokio::test]
async fn nothing_is_charged_and_sessions_start_at_once() {
    // Whoever touched a table of its own would find none.
    let (xendit, others) = ENTRIES.split_last().unwrap();
    assert_eq!(xendit.name, "xendit");
    let database = TestDb::create(others).await;
    let plan = TestApp::with(ENTRIES).database(&database);
    let app = plan.start().await;
    let (customer, mitra) = (customer(&app).await, mitra(&app).await);
    let online = app.post("/api/mitra/status/online");
    online.bearer(&mitra.access_token).send().await.expect(200);
    let call = app
        .post("/api/customer/chat/requests")
        .bearer(&customer.access_token);
    let request = call.json(&json!({"package_id": "15m"})).send().await;
    let id = text(&request.expect(201).json(), "id");
    let accept = app.post(&format!("/api/mitra/chat/offers/{id}/accept"));
    let session = accept
        .bearer(&mitra.access_token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&session["status"], &session["payment"]),
        (&json!("active"), &json!(null))
    );
    for path in [
        "/api/customer/payments",
        "/payment/return/success",
        "/payment/return/failure",
    ] {
        app.get(path).send().await.problem("not_found", 404);
    }
    app.post("/api/webhooks/xendit")
        .send()
        .await
        .problem("not_found", 404);
    let admin = admin(&app).await;
    let refunds = app.internal_get(&format!("/api/admin/payments/{id}/refunds"));
    let answer = refunds.bearer(&admin.access_token).send().await;
    answer.problem("module_off", 404);
}
