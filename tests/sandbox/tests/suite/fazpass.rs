//! Fazpass: what it takes and what it refuses.

use halobestie_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Answer, Http};

const PHONE: &str = "628123456789";

struct Caller {
    sandbox: Sandbox,
    http: Http,
}

impl Caller {
    async fn new() -> Self {
        let (sandbox, http) = (Sandbox::start().await, Http::new());
        Self { sandbox, http }
    }

    async fn post(&self, operation: &str, body: &Value) -> Answer {
        let fazpass = &self.sandbox.fazpass;
        let call = self
            .http
            .post(&format!("{}/{operation}", fazpass.base_url()));
        let call = call.bearer(fazpass.merchant_key()).json(body);
        call.send().await
    }

    fn body(&self) -> Value {
        let gateway_key = self.sandbox.fazpass.gateway_key();
        json!({ "phone": PHONE, "otp": "123456", "gateway_key": gateway_key })
    }

    /// A good body with one field changed; null removes it.
    fn body_with(&self, field: &str, value: Value) -> Value {
        let mut body = self.body();
        let fields = body.as_object_mut().unwrap();
        if value.is_null() {
            fields.remove(field);
        } else {
            fields.insert(field.to_owned(), value);
        }
        body
    }
}

#[tokio::test]
async fn a_sent_code_is_found_by_its_phone() {
    let caller = Caller::new().await;
    let answer = caller.post("send", &caller.body()).await.expect(200).json();
    assert_eq!(answer["status"], true);
    assert_eq!(answer["data"]["otp"], "123456");
    assert_eq!(answer["data"]["channel"], "SMS");
    let fazpass = &caller.sandbox.fazpass;
    assert_eq!(fazpass.last_code("+628123456789").unwrap(), "123456");
    assert_eq!(fazpass.messages()[0].otp_id, answer["data"]["id"]);
    assert_eq!(fazpass.last_code("628000000000"), None);
    let call = &fazpass.calls()[0];
    assert_eq!((call.operation, call.status), ("send", Some(200)));
    assert_eq!(call.json()["phone"], PHONE);
}

#[tokio::test]
async fn whatever_is_not_exactly_a_send_request_is_refused() {
    let caller = Caller::new().await;
    let refused = [
        caller.body_with("phone", Value::Null),
        caller.body_with("phone", json!(628_123_456_789_u64)),
        caller.body_with("phone", json!("+628123456789")),
        caller.body_with("phone", json!("08123456789")),
        caller.body_with("phone", json!("62812-345-678")),
        caller.body_with("otp", json!(123_456)),
        caller.body_with("otp", json!("12345a")),
        caller.body_with("otp", json!("123")),
        caller.body_with("gateway_key", json!("sms")),
        caller.body_with("params", json!([{ "tag": "brand" }])),
        caller.body_with("params", json!({ "tag": "brand", "value": "x" })),
        caller.body_with("channel", json!("sms")),
        json!([]),
    ];
    for body in refused {
        let answer = caller.post("send", &body).await.expect(400).json();
        assert_eq!(answer["status"], false, "{body}");
        assert!(answer["message"].is_string());
        assert_eq!(answer["code"], "400");
    }
    let stranger = "00000000-0000-4000-8000-000000000000";
    let body = caller.body_with("gateway_key", json!(stranger));
    caller.post("send", &body).await.expect(404);
    assert!(caller.sandbox.fazpass.messages().is_empty());
}

#[tokio::test]
async fn wrong_key_path_method_or_content_type_is_refused() {
    let caller = Caller::new().await;
    let fazpass = &caller.sandbox.fazpass;
    let url = format!("{}/send", fazpass.base_url());
    let (http, body) = (&caller.http, caller.body());
    http.post(&url).json(&body).send().await.expect(401);
    let call = http.post(&url).bearer("another").json(&body);
    assert_eq!(call.send().await.expect(401).json()["status"], false);
    let basic = http
        .post(&url)
        .header("authorization", fazpass.merchant_key());
    basic.json(&body).send().await.expect(401);
    let key = fazpass.merchant_key();
    let form = http.post(&url).bearer(key);
    let form = form.body("application/x-www-form-urlencoded", "phone=62");
    form.send().await.expect(415);
    let torn = http.post(&url).bearer(key).body("application/json", "{");
    torn.send().await.expect(400);
    http.get(&url).bearer(key).send().await.expect(405);
    for path in ["/v1/otp", "/v1/otp/send/", "/send", "/v2/otp/send"] {
        let origin = fazpass.base_url().replace("/v1/otp", path);
        let call = http.post(&origin).bearer(key).json(&body);
        assert_eq!(call.send().await.expect(404).json()["status"], false);
    }
    assert!(fazpass.messages().is_empty());
}

#[tokio::test]
async fn its_own_codes_can_be_verified_and_ours_cannot() {
    let caller = Caller::new().await;
    let body = caller.body_with("otp", Value::Null);
    for operation in ["request", "generate"] {
        let made = caller.post(operation, &body).await.expect(200).json();
        let (id, otp) = (&made["data"]["id"], &made["data"]["otp"]);
        assert_eq!(made["data"]["otp_length"], 6);
        let wrong = json!({ "otp_id": id, "otp": "x" });
        let answer = caller.post("verify", &wrong).await.expect(200).json();
        assert_eq!(answer["status"], false);
        let right = json!({ "otp_id": id, "otp": otp });
        let answer = caller.post("verify", &right).await.expect(200).json();
        assert_eq!(answer["status"], true);
    }
    assert_eq!(caller.sandbox.fazpass.messages().len(), 1);
    let sent = caller.post("send", &caller.body()).await.expect(200).json();
    assert_eq!(sent["data"]["otp_length"], "6");
    let ours = json!({ "otp_id": sent["data"]["id"], "otp": "123456" });
    caller.post("verify", &ours).await.expect(404);
}

#[tokio::test]
async fn a_refused_phone_gets_nothing_and_the_caller_a_plain_no() {
    let caller = Caller::new().await;
    caller.sandbox.fazpass.refuse("+628123456789");
    let answer = caller.post("send", &caller.body()).await.expect(200).json();
    assert_eq!(answer["status"], false);
    assert!(caller.sandbox.fazpass.messages().is_empty());
    caller.sandbox.fazpass.accept(PHONE);
    let answer = caller.post("send", &caller.body()).await.expect(200).json();
    assert_eq!(answer["status"], true);
}

#[tokio::test]
async fn mail_goes_by_a_mail_gateway_alone() {
    let caller = Caller::new().await;
    let mail =
        json!({ "email": "a@b.example", "gateway_key": "5a4db0c5-0000-4000-8000-000000000003" });
    caller.post("request", &mail).await.expect(200);
    let by_sms =
        json!({ "email": "a@b.example", "gateway_key": caller.sandbox.fazpass.gateway_key() });
    caller.post("request", &by_sms).await.expect(400);
    let both = caller.body_with("email", json!("a@b.example"));
    caller.post("request", &both).await.expect(400);
}

#[tokio::test]
async fn only_the_last_messages_are_kept() {
    let sandbox = Sandbox::builder().keep(3).start().await.unwrap();
    let http = Http::new();
    let caller = Caller { sandbox, http };
    for number in 0..5 {
        let body = caller.body_with("otp", json!(format!("00000{number}")));
        caller.post("send", &body).await.expect(200);
    }
    let codes: Vec<_> = caller.sandbox.fazpass.messages();
    let codes: Vec<_> = codes.iter().map(|message| &message.code).collect();
    assert_eq!(codes, ["000002", "000003", "000004"]);
    assert_eq!(caller.sandbox.fazpass.calls().len(), 3);
}
