//! The pages and the control by JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use halobestie_sandbox::Sandbox;
use halobestie_sandbox::xendit::State;
use halobestie_testkit::eventually;
use serde_json::{Value, json};

use crate::client::{Answer, Http};
use crate::receiver::Receiver;

struct Visitor {
    sandbox: Sandbox,
    http: Http,
}

impl Visitor {
    async fn new() -> Self {
        let (sandbox, http) = (Sandbox::start().await, Http::new());
        Self { sandbox, http }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.pages_url())
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.http.get(&self.url(path)).send().await.expect(200);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"));
        assert!(!answer.body.contains("<script"));
        answer.body
    }

    async fn push(&self, path: &str, form: &str) -> Answer {
        let call = self.http.post(&self.url(path));
        call.body("application/x-www-form-urlencoded", form.to_owned())
            .send()
            .await
    }

    async fn tell(&self, path: &str, body: &Value) -> Answer {
        let call = self.http.post(&self.url(&format!("/_sandbox{path}")));
        call.json(body).send().await
    }

    async fn ask(&self, path: &str) -> Value {
        let call = self.http.get(&self.url(&format!("/_sandbox{path}")));
        call.send().await.expect(200).json()
    }

    async fn sms(&self) {
        let fazpass = &self.sandbox.fazpass;
        let body = json!({ "phone": "628123456789", "otp": "135790", "gateway_key": fazpass.gateway_key() });
        let call = self.http.post(&format!("{}/send", fazpass.base_url()));
        let call = call.bearer(fazpass.merchant_key()).json(&body);
        call.send().await;
    }

    async fn invoice(&self) -> String {
        let body = json!({
            "external_id": "<order & 1>",
            "amount": 50_000,
            "success_redirect_url": "https://a.example/ok?a=1&b=2",
        });
        self.xendit("/v2/invoices", &body).await["invoice_url"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn xendit(&self, path: &str, body: &Value) -> Value {
        let xendit = &self.sandbox.xendit;
        let credentials = STANDARD.encode(format!("{}:", xendit.secret_key()));
        let call = self.http.post(&format!("{}{path}", xendit.base_url()));
        let call = call.header("authorization", &format!("Basic {credentials}"));
        call.json(body).send().await.expect(200).json()
    }
}

#[tokio::test]
async fn a_newcomer_reads_the_code_on_the_first_page() {
    let visitor = Visitor::new().await;
    assert!(visitor.page("/").await.contains("Nothing yet."));
    visitor.sms().await;
    for path in ["/", "/codes"] {
        let page = visitor.page(path).await;
        assert!(page.contains("135790") && page.contains("628123456789"));
    }
    let codes = visitor.ask("/codes?to=%2B628123456789").await;
    assert_eq!(codes["items"][0]["code"], "135790");
    assert_eq!(visitor.ask("/codes?to=628").await["items"], json!([]));
}

#[tokio::test]
async fn an_invoice_is_paid_on_the_page_behind_its_link() {
    let visitor = Visitor::new().await;
    let url = visitor.invoice().await;
    let page = visitor.http.get(&url).send().await.expect(200).body;
    assert!(page.contains("Rp 50.000") && page.contains("PENDING"));
    assert!(page.contains("&lt;order &amp; 1&gt;") && !page.contains("<order"));
    assert!(page.contains("href=\"https://a.example/ok?a=1&amp;b=2\""));
    let path = url.strip_prefix(visitor.sandbox.pages_url()).unwrap();
    let pushed = visitor.push(path, "channel=qris&action=pay").await;
    assert_eq!(pushed.expect(303).header("location"), path);
    assert!(visitor.page(path).await.contains("Paid Rp 50.000 by QRIS"));
    assert!(visitor.page("/invoices").await.contains("PAID"));
}

#[tokio::test]
async fn each_button_does_what_it_says() {
    let visitor = Visitor::new().await;
    let outcomes = [
        ("pay", "PAID", vec![50_000]),
        ("pay_twice", "PAID", vec![50_000, 50_000]),
        ("pay_wrong_amount", "PAID", vec![49_000]),
        ("partial", "PENDING", vec![25_000]),
        ("pay_late", "PAID", vec![50_000]),
        ("expire", "EXPIRED", vec![]),
    ];
    for (action, status, amounts) in outcomes {
        let url = visitor.invoice().await;
        let id = url.rsplit('/').next().unwrap();
        let form = format!("action={action}");
        visitor.push(&format!("/pay/{id}"), &form).await.expect(303);
        let invoice = visitor.sandbox.xendit.invoice(id).unwrap();
        assert_eq!(invoice.status, status, "{action}");
        let paid: Vec<_> = invoice.payments.iter().map(|it| it.amount).collect();
        assert_eq!(paid, amounts, "{action}");
        let page = visitor.page(&format!("/pay/{id}")).await;
        assert!(page.contains(&format!("value=\"{action}\"")));
        // The same by JSON.
        let url = visitor.invoice().await;
        let id = url.rsplit('/').next().unwrap();
        let body = json!({ "action": action });
        visitor
            .tell(&format!("/invoices/{id}"), &body)
            .await
            .expect(200);
        assert_eq!(visitor.sandbox.xendit.invoice(id).unwrap().status, status);
    }
}

#[tokio::test]
async fn refunds_have_buttons_until_they_end() {
    let visitor = Visitor::new().await;
    let refund = async || {
        let url = visitor.invoice().await;
        let id = url.rsplit('/').next().unwrap();
        visitor.sandbox.xendit.pay(id);
        let body = json!({ "invoice_id": id, "reason": "OTHERS" });
        let refund = visitor.xendit("/refunds", &body).await;
        format!("/refunds/{}", refund["id"].as_str().unwrap())
    };
    let (first, second) = (refund().await, refund().await);
    assert!(visitor.page("/refunds").await.contains("Let it succeed"));
    visitor.push(&first, "action=succeed").await.expect(303);
    visitor.push(&second, "action=fail").await.expect(303);
    let page = visitor.page("/refunds").await;
    assert!(page.contains("SUCCEEDED") && page.contains("FAILED"));
    assert!(!page.contains("Let it succeed"));
    visitor.push(&first, "action=fail").await.expect(409);
}

#[tokio::test]
async fn webhooks_are_listed_with_their_attempts_and_can_be_sent_again() {
    let visitor = Visitor::new().await;
    let receiver = Receiver::start(&[]).await;
    let target = json!({ "action": "send_to", "url": receiver.url });
    visitor.tell("/webhooks", &target).await.expect(200);
    visitor.push("/webhooks", "action=hold").await.expect(303);
    let url = visitor.invoice().await;
    visitor.sandbox.xendit.pay(url.rsplit('/').next().unwrap());
    assert!(visitor.page("/webhooks").await.contains("held back"));
    visitor
        .push("/webhooks", "action=release")
        .await
        .expect(303);
    let webhooks = || visitor.sandbox.xendit.webhooks();
    eventually("delivery", async || webhooks()[0].state == State::Delivered).await;
    let page = visitor.page("/webhooks").await;
    assert!(page.contains("delivered") && page.contains("answered 200"));
    let again = format!("/webhooks/{}", webhooks()[0].id);
    visitor.push(&again, "action=resend").await.expect(303);
    let told = visitor.tell(&again, &json!({ "action": "resend" })).await;
    assert_eq!(
        told.expect(200).json()["outcome"],
        json!({ "answered": 200 })
    );
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn knobs_are_turned_by_json() {
    let visitor = Visitor::new().await;
    let knobs = json!({
        "service": "fazpass",
        "planned": [{ "times": 2, "fault": { "kind": "error", "code": "503" } }],
    });
    let set = visitor.tell("/knobs", &knobs).await.expect(200).json();
    assert_eq!(set["fazpass"]["planned"][0]["times"], 2);
    let fault = json!({ "service": "fazpass", "operation": "send", "fault": { "kind": "lost" } });
    visitor.tell("/faults", &fault).await.expect(200);
    assert_eq!(visitor.sandbox.fazpass.knobs.conditions().planned.len(), 2);
    visitor.sms().await;
    let calls = visitor.ask("/calls?service=fazpass").await;
    assert_eq!(calls["items"][0]["status"], 503);
    assert!(visitor.page("/calls").await.contains("503"));
    let down = json!({ "service": "google", "down": true });
    visitor.tell("/knobs", &down).await.expect(200);
    let google = visitor.sandbox.google.base_url();
    assert!(visitor.http.get(&google).try_send().await.is_none());
    let reset = visitor.http.call("DELETE", &visitor.url("/_sandbox/knobs"));
    reset.send().await.expect(200);
    assert!(
        visitor
            .sandbox
            .fazpass
            .knobs
            .conditions()
            .planned
            .is_empty()
    );
    visitor.http.get(&google).send().await.expect(404);
}

#[tokio::test]
async fn devices_misbehave_by_json() {
    let visitor = Visitor::new().await;
    let fails = json!({ "token": "t", "code": "UNREGISTERED" });
    visitor.tell("/devices", &fails).await.expect(200);
    let nonsense = json!({ "token": "t", "code": "NOPE" });
    visitor.tell("/devices", &nonsense).await.expect(400);
    let works = json!({ "token": "t", "code": null });
    visitor.tell("/devices", &works).await.expect(200);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let visitor = Visitor::new().await;
    let told = [
        ("/knobs", json!({ "service": "fazpass", "speed": 1 }), 400),
        ("/knobs", json!({ "service": "dana" }), 400),
        (
            "/faults",
            json!({ "service": "xendit", "fault": { "kind": "error", "code": "NOPE" } }),
            400,
        ),
        (
            "/faults",
            json!({ "service": "xendit", "fault": { "kind": "rain" } }),
            400,
        ),
        ("/invoices/none", json!({ "action": "pay" }), 404),
        ("/invoices/none", json!({ "action": "steal" }), 400),
        ("/webhooks/none", json!({ "action": "resend" }), 404),
        ("/nothing", json!({}), 404),
    ];
    for (path, body, status) in told {
        visitor.tell(path, &body).await.expect(status);
    }
    let get = async |path: &str| visitor.http.get(&visitor.url(path)).send().await;
    for path in [
        "/nothing",
        "/pay/none",
        "/devices/none",
        "/_sandbox/nothing",
    ] {
        get(path).await.expect(404);
    }
    get("/_sandbox/calls").await.expect(400);
    visitor.push("/pay/none", "action=pay").await.expect(404);
    visitor.push("/pay/none", "action=steal").await.expect(400);
    let put = visitor.http.call("PUT", &visitor.url("/"));
    put.send().await.expect(405);
}

#[tokio::test]
async fn a_server_is_told_where_everything_is() {
    let visitor = Visitor::new().await;
    let variables = visitor.ask("").await["variables"].clone();
    let fazpass = visitor.sandbox.fazpass.base_url();
    assert_eq!(variables["FAZPASS_BASE_URL"], fazpass.as_str());
    assert!(fazpass.ends_with("/v1/otp"));
    assert_eq!(variables["XENDIT_ENABLED"], "true");
}

#[tokio::test]
async fn invoices_can_be_reached_through_another_address() {
    let builder = Sandbox::builder().pages_url("https://phone.example/");
    let sandbox = builder.start().await.unwrap();
    let http = Http::new();
    let visitor = Visitor { sandbox, http };
    let url = visitor.invoice().await;
    assert!(url.starts_with("https://phone.example/pay/"));
}
