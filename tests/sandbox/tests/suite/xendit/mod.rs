//! Xendit: what it takes and refuses, what becomes of invoices, refunds and webhooks.

mod invoices;
mod limits;
mod paying;
mod refunds;
mod webhooks;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use halobestie_core::clock::Clock;
use halobestie_core::timestamp::Timestamp;
use halobestie_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Answer, Call, Http};

struct Merchant {
    sandbox: Sandbox,
    http: Http,
    clock: Clock,
}

impl Merchant {
    async fn new() -> Self {
        let clock = Clock::manual(Timestamp::from_unix_ms(1_800_000_000_000));
        Self {
            sandbox: Sandbox::with_clock(clock.clone()).await,
            http: Http::new(),
            clock,
        }
    }

    fn call(&self, method: &str, path: &str) -> Call {
        let xendit = &self.sandbox.xendit;
        let credentials = STANDARD.encode(format!("{}:", xendit.secret_key()));
        let call = self
            .http
            .call(method, &format!("{}{path}", xendit.base_url()));
        call.header("authorization", &format!("Basic {credentials}"))
    }

    async fn get(&self, path: &str) -> Answer {
        self.call("GET", path).send().await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path).json(body).send().await
    }

    /// An invoice over 50 000.
    async fn invoice(&self) -> String {
        let body = json!({ "external_id": "order-1", "amount": 50_000, "invoice_duration": 900 });
        let invoice = self.post("/v2/invoices", &body).await.expect(200).json();
        invoice["id"].as_str().unwrap().to_owned()
    }

    async fn status(&self, id: &str) -> String {
        let invoice = self.get(&format!("/v2/invoices/{id}")).await.expect(200);
        invoice.json()["status"].as_str().unwrap().to_owned()
    }
}

#[track_caller]
fn refused(answer: Answer, status: u16, code: &str) -> Value {
    let body = answer.expect(status).json();
    assert_eq!(body["error_code"], code, "{body}");
    assert!(body["message"].is_string());
    body
}
