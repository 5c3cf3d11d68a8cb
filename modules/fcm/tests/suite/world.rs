//! The servers of this suite: everything that has something to tell, and a Google that does as it is told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use halobestie_auth::Auth;
use halobestie_auth::testing::{SignedIn, customer, mitra};
use halobestie_availability::Mitras;
use halobestie_chat::Chat;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::ports::{News, Notice};
use halobestie_core::{Entry, Timestamp};
use halobestie_fcm::Fcm;
use halobestie_sandbox::Sandbox;
use halobestie_sandbox::google::Push;
use halobestie_testkit::{Plan, TestApp, TestResponse, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

/// What has something to tell, and who tells.
pub(crate) static ENTRIES: &[Entry] = &[
    Entry::of::<Auth>(),
    Entry::of::<Mitras>(),
    Entry::of::<Chat>(),
    Entry::of::<Fcm>(),
];

/// Where the clocks start.
const START: Timestamp = Timestamp::from_unix_ms(1_768_464_000_000);

/// A Google, and the file by which it knows us.
pub(crate) struct Firebase {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Clock,
    account: AccountFile,
}

/// The service account's file, while a test lasts.
pub(crate) struct AccountFile(PathBuf);

impl AccountFile {
    pub(crate) fn new(text: &str) -> Self {
        let name = Entropy::system()
            .uuid(&Clock::system())
            .simple()
            .to_string();
        let path = std::env::temp_dir().join(format!("halobestie-account-{name}.json"));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for AccountFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Firebase {
    pub(crate) async fn start() -> Self {
        let clock = Clock::manual(START);
        let sandbox = Sandbox::builder().clock(clock.clone()).keep(20_000);
        let sandbox = sandbox.start().await.unwrap();
        let account = AccountFile::new(&sandbox.google.service_account());
        Self {
            sandbox,
            clock,
            account,
        }
    }

    /// A server that is pointed at it.
    pub(crate) fn plan(&self) -> Plan {
        self.point(TestApp::with(ENTRIES))
    }

    /// Points a server at it.
    pub(crate) fn point(&self, plan: Plan) -> Plan {
        let plan = plan
            .clock(self.clock.clone())
            .env("AUTH_ACCESS_SECONDS", "86400")
            .env("MITRA_STALE_SECONDS", "86400")
            .env("CHAT_MESSAGES_PER_SECOND", "0");
        let variables = self.sandbox.google.variables(self.account.path());
        let set = |plan: Plan, (name, value): (&str, String)| plan.env(name, &value);
        variables.into_iter().fold(plan, set)
    }
}

/// A server and its Google.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) firebase: Firebase,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server with these variables.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> Self {
        let firebase = Firebase::start().await;
        let mut plan = firebase.plan();
        for (name, value) in variables {
            plan = plan.env(name, value);
        }
        let app = plan.start().await;
        Self { app, firebase }
    }

    pub(crate) fn google(&self) -> &halobestie_sandbox::Google {
        &self.firebase.sandbox.google
    }

    /// A customer with a device; the device's token.
    pub(crate) async fn customer(&self, device: &str) -> (SignedIn, String) {
        let person = customer(&self.app).await;
        let token = self.register(&person, device).await;
        (person, token)
    }

    /// A mitra with a device, online.
    pub(crate) async fn mitra(&self, device: &str) -> (SignedIn, String) {
        let person = mitra(&self.app).await;
        let online = self.app.post("/api/mitra/status/online");
        online.bearer(&person.access_token).send().await.expect(200);
        let token = self.register(&person, device).await;
        (person, token)
    }

    /// Registers an Android device by its name.
    pub(crate) async fn register(&self, person: &SignedIn, device: &str) -> String {
        let token = self.google().device(device);
        put(&self.app, person, &token).await.expect(204);
        token
    }

    /// Says that something has happened to these people.
    pub(crate) async fn notify(&self, user_ids: &[Uuid], news: &News) {
        notify(&self.app, &Notice::to_all(user_ids, news)).await;
    }

    /// Waits until a device has got so many pushes, and no more are due; the pushes.
    pub(crate) async fn pushes(&self, token: &str, count: usize) -> Vec<Push> {
        self.app.finish_jobs().await;
        let pushes = self.google().pushes_to(token);
        assert_eq!(pushes.len(), count, "{pushes:#?}");
        pushes
    }

    /// Lets time pass, a second at a time, so that what waits for it follows.
    pub(crate) async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.app.clock.advance(Duration::from_secs(1));
            self.app.finish_jobs().await;
        }
    }

    /// How many pushes wait to be sent.
    pub(crate) async fn waiting(&self) -> i64 {
        waiting(&self.app).await
    }

    /// A line of the metrics page.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        metric(&self.app, name).await
    }

    /// Waits until a line of the metrics page says so.
    pub(crate) async fn counts(&self, name: &str, value: u64) {
        eventually(&format!("{name} is {value}"), || async {
            self.metric(name).await == value
        })
        .await;
    }
}

pub(crate) async fn metric(app: &TestApp, name: &str) -> u64 {
    let page = app.internal_get("/metrics").send().await.text();
    let value = page.lines().find_map(|line| line.strip_prefix(name));
    value.map_or(0, |value| value.trim().parse().unwrap())
}

pub(crate) async fn waiting(app: &TestApp) -> i64 {
    const SQL: &str = "SELECT count(*) FROM jobs WHERE kind = 'send-push' AND finished_at IS NULL";
    app.database.row(SQL, &[]).await.get(0)
}

pub(crate) async fn put(app: &TestApp, person: &SignedIn, token: &str) -> TestResponse {
    let body = json!({"token": token, "platform": "android"});
    let call = app.put("/api/devices").bearer(&person.access_token);
    call.json(&body).send().await
}

/// Says in a transaction that something has happened.
pub(crate) async fn notify(app: &TestApp, notices: &[Notice]) {
    let cx = app.context();
    let mut client = cx.db.client().await.unwrap();
    let tx = client.begin().await.unwrap();
    let notifier = cx.ports.notifier.get().unwrap();
    let noticed = notifier.notify(&tx, notices).await.unwrap();
    tx.commit().await.unwrap();
    noticed.run().await;
}

/// That a session of no matter whom is over.
pub(crate) fn over() -> News {
    News::SessionUpdated {
        session_id: Entropy::system().uuid(&Clock::system()),
        status: "ended".into(),
        end_reason: Some("expired".into()),
    }
}

/// How many tokens are kept.
pub(crate) async fn tokens_kept(app: &TestApp) -> i64 {
    let count = "SELECT count(*) FROM device_tokens";
    app.database.row(count, &[]).await.get(0)
}

/// Two people in an active session, with a device each.
pub(crate) struct Talk {
    pub(crate) customer: SignedIn,
    pub(crate) mitra: SignedIn,
    pub(crate) customer_token: String,
    pub(crate) mitra_token: String,
    pub(crate) id: String,
}

impl Talk {
    /// Starts a session of 15 minutes.
    pub(crate) async fn start(world: &World) -> Self {
        let (mitra, mitra_token) = world.mitra("the mitra's phone").await;
        let (customer, customer_token) = world.customer("the customer's phone").await;
        let request = request(&world.app, &customer).await;
        let session = accept(&world.app, &mitra, &request).await;
        world.app.finish_jobs().await;
        Self {
            customer,
            mitra,
            customer_token,
            mitra_token,
            id: session["id"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/chat/sessions/{}{rest}", self.id)
    }

    /// Sends a text.
    pub(crate) async fn send(&self, app: &TestApp, from: &SignedIn, mark: &str) {
        let message =
            json!({"client_message_id": mark, "kind": "text", "body": format!("says {mark}")});
        let call = app.post(&self.path("/messages")).bearer(&from.access_token);
        call.json(&message).send().await.expect(201);
    }

    /// What a device was told of messages.
    pub(crate) fn told_of_messages(world: &World, token: &str) -> Vec<Push> {
        let mut pushes = world.google().pushes_to(token);
        pushes.retain(|it| it.data("type") == Some("message.new"));
        pushes
    }
}

/// Asks for a chat.
pub(crate) async fn request(app: &TestApp, customer: &SignedIn) -> Value {
    let call = app
        .post("/api/customer/chat/requests")
        .bearer(&customer.access_token);
    let body = json!({"package_id": "15m"});
    call.json(&body).send().await.expect(201).json()
}

pub(crate) async fn accept(app: &TestApp, mitra: &SignedIn, request: &Value) -> Value {
    let id = request["id"].as_str().unwrap();
    let path = format!("/api/mitra/chat/offers/{id}/accept");
    let call = app.post(&path).bearer(&mitra.access_token);
    call.send().await.expect(200).json()
}
