//! What the tests share: the server, and people in it.

use halobestie_auth::testing::{self, SignedIn};
use halobestie_core::Entry;
use halobestie_core::ports::AdminRole;
use halobestie_testkit::{Call, TestApp, TestResponse};
use http::Method;
use serde_json::{Value, json};

/// A server as it runs without payments.
pub(crate) static ENTRIES: &[Entry] = &[
    Entry::of::<halobestie_auth::Auth>(),
    Entry::of::<halobestie_availability::Mitras>(),
    Entry::of::<halobestie_chat::Chat>(),
    Entry::of::<halobestie_control_center::ControlCenter>(),
];

/// The server, and an admin of each role.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) owner: SignedIn,
    pub(crate) operator: SignedIn,
    pub(crate) viewer: SignedIn,
}

pub(crate) async fn world() -> World {
    let app = TestApp::start(ENTRIES).await;
    World {
        owner: testing::admin_as(&app, AdminRole::Owner).await,
        operator: testing::admin_as(&app, AdminRole::Operator).await,
        viewer: testing::admin_as(&app, AdminRole::Viewer).await,
        app,
    }
}

impl World {
    pub(crate) fn call(&self, who: &SignedIn, method: Method, path: &str) -> Call {
        self.app.internal(method, path).bearer(&who.access_token)
    }

    /// Reads, as the viewer; everybody may.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.call(&self.viewer, Method::GET, path).send().await;
        answer.expect(200).json()
    }

    /// Does something, as the operator.
    pub(crate) async fn act(&self, method: Method, path: &str, body: Value) -> TestResponse {
        let call = self.call(&self.operator, method, path);
        call.json(&body).send().await
    }

    /// The audit's rows of an action, the latest first.
    pub(crate) async fn deeds(&self, action: &str) -> Vec<Value> {
        let path = format!("/api/admin/audit?action={action}");
        let page = self.get(&path).await;
        page["items"].as_array().expect("items").clone()
    }
}

/// A session between new people, by the free package; the mitra, the customer, its id.
pub(crate) async fn session(app: &TestApp) -> (SignedIn, SignedIn, String) {
    let mitra = testing::mitra(app).await;
    let customer = testing::customer(app).await;
    let online = app
        .post("/api/mitra/status/online")
        .bearer(&mitra.access_token);
    online.send().await.expect(200);
    let asked = json!({"package_id": "15m", "topic": "sleep"});
    let request = app
        .post("/api/customer/chat/requests")
        .bearer(&customer.access_token)
        .json(&asked)
        .send()
        .await
        .expect(201)
        .json();
    let id = request["id"].as_str().expect("a request has an id");
    let session = app
        .post(&format!("/api/mitra/chat/offers/{id}/accept"))
        .bearer(&mitra.access_token)
        .send()
        .await
        .expect(200)
        .json();
    let id = session["id"].as_str().expect("a session has an id");
    (mitra, customer, id.to_owned())
}

/// Says something in a session.
pub(crate) async fn say(app: &TestApp, who: &SignedIn, session_id: &str, body: &str) {
    let message = json!({"client_message_id": body, "kind": "text", "body": body});
    app.post(&format!("/api/chat/sessions/{session_id}/messages"))
        .bearer(&who.access_token)
        .json(&message)
        .send()
        .await
        .expect(201);
}
