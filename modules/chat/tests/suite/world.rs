//! Servers with sign-in, availability and chat, and the people in them.

use halobestie_auth::Auth;
use halobestie_auth::testing::{SignedIn, customer, mitra};
use halobestie_availability::Mitras;
use halobestie_chat::Chat;
use halobestie_core::Entry;
use halobestie_testkit::{Plan, TestApp, TestResponse, TestSocket};
use serde_json::{Value, json};
use uuid::Uuid;

/// What chat needs, and chat.
pub(crate) static ENTRIES: &[Entry] = &[
    Entry::of::<Auth>(),
    Entry::of::<Mitras>(),
    Entry::of::<Chat>(),
];

/// A server whose tokens outlive every jump of its clock, as do mitras without heartbeats, and without
/// limits on messages.
pub(crate) fn plan() -> Plan {
    plan_of(ENTRIES)
}

/// The same of other modules.
pub(crate) fn plan_of(entries: &'static [Entry]) -> Plan {
    TestApp::with(entries)
        .env("AUTH_ACCESS_SECONDS", "86400")
        .env("MITRA_STALE_SECONDS", "86400")
        .env("CHAT_MESSAGES_PER_SECOND", "0")
        .env("CHAT_FRAMES_PER_SECOND", "0")
}

/// The usual server.
pub(crate) async fn start() -> TestApp {
    plan().start().await
}

/// A mitra that is online.
pub(crate) async fn online_mitra(app: &TestApp) -> SignedIn {
    let mitra = mitra(app).await;
    go_online(app, &mitra).await;
    mitra
}

pub(crate) async fn go_online(app: &TestApp, mitra: &SignedIn) {
    app.post("/api/mitra/status/online")
        .bearer(&mitra.access_token)
        .send()
        .await
        .expect(200);
}

/// Decides whether a mitra may work, as the control center does, and leaves its sign-in alone.
pub(crate) async fn set_active(app: &TestApp, mitra_id: Uuid, is_active: bool) {
    let (db, ports) = (app.context().db.clone(), &app.context().ports);
    let mut client = db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let availability = ports.availability.get().unwrap();
    let decided = availability.set_active(&tx, mitra_id, is_active).await;
    tx.commit().await.unwrap();
    decided.unwrap().run().await;
}

/// Asks for a chat.
pub(crate) async fn ask(app: &TestApp, customer: &SignedIn, body: Value) -> TestResponse {
    let call = app
        .post("/api/customer/chat/requests")
        .bearer(&customer.access_token);
    call.json(&body).send().await
}

/// Asks for a chat of 15 minutes, which works.
pub(crate) async fn request(app: &TestApp, customer: &SignedIn) -> Value {
    ask(app, customer, json!({"package_id": "15m"}))
        .await
        .expect(201)
        .json()
}

pub(crate) async fn read_request(app: &TestApp, customer: &SignedIn, request: &Value) -> Value {
    let path = format!("/api/customer/chat/requests/{}", text(request, "id"));
    app.get(&path)
        .bearer(&customer.access_token)
        .send()
        .await
        .expect(200)
        .json()
}

pub(crate) async fn accept(app: &TestApp, mitra: &SignedIn, request: &Value) -> TestResponse {
    let path = format!("/api/mitra/chat/offers/{}/accept", text(request, "id"));
    app.post(&path).bearer(&mitra.access_token).send().await
}

pub(crate) async fn decline(app: &TestApp, mitra: &SignedIn, request: &Value) -> TestResponse {
    let path = format!("/api/mitra/chat/offers/{}/decline", text(request, "id"));
    app.post(&path).bearer(&mitra.access_token).send().await
}

/// The requests that are offered to a mitra.
pub(crate) async fn offers(app: &TestApp, mitra: &SignedIn) -> Vec<String> {
    let call = app
        .get("/api/mitra/chat/offers")
        .bearer(&mitra.access_token);
    let list = call.send().await.expect(200).json();
    let items = list["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|offer| text(offer, "request_id"))
        .collect()
}

/// Two people in an active session.
pub(crate) struct Talk {
    pub(crate) customer: SignedIn,
    pub(crate) mitra: SignedIn,
    pub(crate) id: String,
}

/// Starts a session of 15 minutes.
pub(crate) async fn talk(app: &TestApp) -> Talk {
    let (customer, mitra) = (customer(app).await, online_mitra(app).await);
    talk_of(app, customer, mitra).await
}

pub(crate) async fn talk_of(app: &TestApp, customer: SignedIn, mitra: SignedIn) -> Talk {
    let request = request(app, &customer).await;
    let session = accept(app, &mitra, &request).await.expect(200).json();
    Talk {
        customer,
        mitra,
        id: text(&session, "id"),
    }
}

impl Talk {
    /// A path below this session.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/chat/sessions/{}{rest}", self.id)
    }

    /// Sends a text over HTTP.
    pub(crate) async fn send(&self, app: &TestApp, from: &SignedIn, mark: &str) -> TestResponse {
        let message =
            json!({"client_message_id": mark, "kind": "text", "body": format!("says {mark}")});
        let call = app.post(&self.path("/messages")).bearer(&from.access_token);
        call.json(&message).send().await
    }

    /// The `message.send` frame of a text.
    pub(crate) fn frame(&self, mark: &str) -> Value {
        json!({"type": "message.send", "id": mark, "session_id": self.id,
            "client_message_id": mark, "kind": "text", "body": format!("says {mark}")})
    }

    pub(crate) async fn show(&self, app: &TestApp, viewer: &SignedIn) -> Value {
        app.get(&self.path(""))
            .bearer(&viewer.access_token)
            .send()
            .await
            .expect(200)
            .json()
    }

    pub(crate) async fn end(&self, app: &TestApp, by: &SignedIn) -> TestResponse {
        app.post(&self.path("/end"))
            .bearer(&by.access_token)
            .send()
            .await
    }

    /// All messages, page by page.
    pub(crate) async fn history(&self, app: &TestApp) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let after = all.last().map_or(0, |last| last["seq"].as_i64().unwrap());
            let path = self.path(&format!("/messages?limit=100&after_seq={after}"));
            let call = app.get(&path).bearer(&self.customer.access_token);
            let page = call.send().await.expect(200).json();
            let items = page["items"].as_array().unwrap();
            if items.is_empty() {
                return all;
            }
            all.extend(items.iter().cloned());
        }
    }
}

/// A socket that has been greeted.
pub(crate) async fn socket(app: &TestApp, user: &SignedIn) -> TestSocket {
    let mut socket = app.ws(Some(&user.access_token)).await;
    assert_eq!(socket.next().await["type"], "hello");
    socket
}

/// A member that is text.
#[track_caller]
pub(crate) fn text(value: &Value, member: &str) -> String {
    let text = value[member].as_str();
    text.unwrap_or_else(|| panic!("{member} is no text in {value}"))
        .to_owned()
}

/// The `seq` of each.
pub(crate) fn seqs(messages: &[Value]) -> Vec<i64> {
    messages
        .iter()
        .map(|message| message["seq"].as_i64().unwrap())
        .collect()
}

/// Reads `message.new` until `count` have come; their numbers, in the order of arrival.
pub(crate) async fn receive(socket: &mut TestSocket, count: usize) -> Vec<i64> {
    let mut numbers = Vec::with_capacity(count);
    while numbers.len() < count {
        let event = socket.expect("message.new").await;
        numbers.push(event["message"]["seq"].as_i64().unwrap());
    }
    numbers
}
