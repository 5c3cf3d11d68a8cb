//! The servers of this suite: sign-in with Fazpass as its carrier, and a Fazpass that does as it is told.

use halobestie_auth::Auth;
use halobestie_core::Entry;
use halobestie_fazpass::Fazpass;
use halobestie_sandbox::Sandbox;
use halobestie_testkit::{Plan, TestApp, TestResponse};
use serde_json::{Value, json};

/// What the servers of this suite are made of.
pub(crate) static ENTRIES: &[Entry] = &[Entry::of::<Auth>(), Entry::of::<Fazpass>()];

/// A server and its Fazpass.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) sandbox: Sandbox,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server with these variables.
    pub(crate) async fn with(variables: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::start().await;
        let app = plan(&sandbox, variables).start().await;
        Self { app, sandbox }
    }

    /// Asks for a customer's code.
    pub(crate) async fn ask(&self, phone: &str) -> TestResponse {
        ask(&self.app, phone).await
    }

    /// How many messages a phone got.
    pub(crate) fn messages_to(&self, phone: &str) -> usize {
        self.sandbox.fazpass.messages_to(phone).len()
    }

    /// How often Fazpass was called.
    pub(crate) fn calls(&self) -> usize {
        self.sandbox.fazpass.calls().len()
    }

    /// A line of the metrics page.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let page = self.app.internal_get("/metrics").send().await.text();
        let value = page.lines().find_map(|line| line.strip_prefix(name));
        value.map_or(0, |value| value.trim().parse().unwrap())
    }
}

/// A server that is pointed at a Fazpass.
pub(crate) fn plan(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Plan {
    let mut plan = TestApp::with(ENTRIES);
    for (name, value) in sandbox.fazpass.variables() {
        plan = plan.env(name, &value);
    }
    for (name, value) in variables {
        plan = plan.env(name, value);
    }
    plan
}

pub(crate) async fn ask(app: &TestApp, phone: &str) -> TestResponse {
    let body = json!({"phone": phone, "role": "customer"});
    app.post("/api/auth/otp/request").json(&body).send().await
}

pub(crate) async fn show(app: &TestApp, otp_id: &Value, code: &str) -> TestResponse {
    let body = json!({"otp_id": otp_id, "code": code});
    app.post("/api/auth/otp/verify").json(&body).send().await
}
