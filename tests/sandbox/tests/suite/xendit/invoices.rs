//! The invoice calls.

use std::time::Duration;

use halobestie_sandbox::{Sandbox, xendit};
use serde_json::{Value, json};

use super::{Merchant, refused};

#[tokio::test]
async fn an_invoice_is_made_as_asked() {
    let merchant = Merchant::new().await;
    let body = json!({
        "external_id": "order-1",
        "amount": 50_000,
        "invoice_duration": 900,
        "currency": "IDR",
        "description": "30 minutes",
        "payer_email": "a@b.example",
        "success_redirect_url": "https://a.example/ok",
        "failure_redirect_url": "https://a.example/no",
        "payment_methods": ["QRIS"],
        "customer": { "given_names": "Bestie", "mobile_number": "+628123456789", "email": null },
        "customer_notification_preference": { "invoice_paid": ["email"] },
        "items": [{ "name": "30 minutes", "price": 50_000, "quantity": 1 }],
        "fees": [{ "type": "admin", "value": 0 }],
        "should_send_email": false,
        "metadata": { "session": "1" },
    });
    let invoice = merchant.post("/v2/invoices", &body).await.expect(200);
    let invoice = invoice.json();
    let id = invoice["id"].as_str().unwrap();
    assert_eq!(id.len(), 24);
    assert_eq!(invoice["status"], "PENDING");
    assert_eq!(invoice["amount"].as_i64(), Some(50_000));
    assert_eq!(invoice["created"], "2027-01-15T08:00:00.000Z");
    assert_eq!(invoice["expiry_date"], "2027-01-15T08:15:00.000Z");
    assert_eq!(invoice["description"], "30 minutes");
    assert!(invoice["invoice_url"].as_str().unwrap().ends_with(id));
    let read = merchant
        .get(&format!("/v2/invoices/{id}"))
        .await
        .expect(200);
    assert_eq!(read.json(), invoice);
    let kept = merchant.sandbox.xendit.invoice(id).unwrap();
    assert_eq!((kept.amount, kept.request), (50_000, body));
}

#[tokio::test]
async fn a_fraction_of_a_rupiah_is_cut_off_and_a_slash_may_follow() {
    let merchant = Merchant::new().await;
    let body = json!({ "external_id": "a", "amount": 19_999.99 });
    let invoice = merchant.post("/v2/invoices/", &body).await.expect(200);
    assert_eq!(invoice.json()["amount"].as_i64(), Some(19_999));
    let day_later = "2027-01-16T08:00:00.000Z";
    assert_eq!(invoice.json()["expiry_date"], day_later);
}

#[tokio::test]
async fn whatever_is_not_exactly_an_invoice_request_is_refused() {
    let merchant = Merchant::new().await;
    let long = "x".repeat(256);
    let changes = [
        ("external_id", Value::Null),
        ("external_id", json!("")),
        ("external_id", json!(long)),
        ("external_id", json!(7)),
        ("amount", Value::Null),
        ("amount", json!("50000")),
        ("amount", json!(0)),
        ("amount", json!(-1)),
        ("amount", json!(0.5)),
        ("amount", json!(1e300)),
        ("invoice_duration", json!("900")),
        ("invoice_duration", json!(900.0)),
        ("invoice_duration", json!(0)),
        ("currency", json!("USD")),
        ("payer_email", json!("nobody")),
        ("success_redirect_url", json!("app://home")),
        ("failure_redirect_url", json!("https://")),
        ("payment_methods", json!("QRIS")),
        ("payment_methods", json!([1])),
        ("customer", json!({ "name": "x" })),
        ("items", json!([{ "name": "x", "price": 1 }])),
        (
            "items",
            json!([{ "name": "x", "price": "1", "quantity": 1 }]),
        ),
        ("should_send_email", json!("true")),
        ("metadata", json!({ "a": 1 })),
        ("metadata", json!({ (long.clone()): "a" })),
        ("metadata", json!({ "a": "x".repeat(501) })),
        ("success_url", json!("https://a.example")),
        ("description", Value::Bool(true)),
    ];
    for (field, value) in changes {
        let mut body = json!({ "external_id": "a", "amount": 50_000 });
        let fields = body.as_object_mut().unwrap();
        if value.is_null() {
            fields.remove(field);
        } else {
            fields.insert(field.to_owned(), value);
        }
        let answer = merchant.post("/v2/invoices", &body).await;
        let refusal = refused(answer, 400, "API_VALIDATION_ERROR");
        let path = refusal["errors"][0]["path"].as_str().unwrap();
        assert!(path.starts_with(field), "{refusal}");
        // The window of a minute stands still in this test.
        merchant.clock.advance(Duration::from_secs(2));
    }
    let answer = merchant.post("/v2/invoices", &json!([])).await;
    let refusal = refused(answer, 400, "API_VALIDATION_ERROR");
    assert!(refusal["errors"][0].is_string(), "{refusal}");
    assert!(merchant.sandbox.xendit.invoices().is_empty());
}

#[tokio::test]
async fn wrong_key_content_type_path_or_method_is_refused() {
    let merchant = Merchant::new().await;
    let xendit = &merchant.sandbox.xendit;
    let url = format!("{}/v2/invoices", xendit.base_url());
    let body = json!({ "external_id": "a", "amount": 50_000 });
    for authorization in [
        "Basic eG5kX2RldmVsb3BtZW50X290aGVyOg==",
        // Without the colon, with a password, as a bearer, not base64.
        "Basic eG5kX2RldmVsb3BtZW50X3NhbmRib3g=",
        "Basic eG5kX2RldmVsb3BtZW50X3NhbmRib3g6cGFzcw==",
        "Bearer xnd_development_sandbox",
        "Basic ???",
    ] {
        let call = merchant.http.post(&url);
        let answer = call.header("authorization", authorization).json(&body);
        refused(answer.send().await, 401, "INVALID_API_KEY");
    }
    let answer = merchant.http.post(&url).json(&body).send().await;
    refused(answer, 401, "INVALID_API_KEY");
    let form = merchant
        .call("POST", "/v2/invoices")
        .body("text/plain", body.to_string());
    refused(form.send().await, 400, "API_VALIDATION_ERROR");
    let torn = merchant
        .call("POST", "/v2/invoices")
        .body("application/json", "{");
    refused(torn.send().await, 400, "API_VALIDATION_ERROR");
    for (method, path) in [
        ("POST", "/invoices"),
        ("PUT", "/v2/invoices"),
        ("GET", "/v2/invoices/a/b"),
        ("POST", "/v2/invoices/a/expire!"),
        ("POST", "/invoices/a/expire"),
        ("GET", "/"),
    ] {
        let answer = merchant.call(method, path).send().await;
        refused(answer, 404, "NOT_FOUND");
    }
    assert!(xendit.invoices().is_empty());
}

#[tokio::test]
async fn a_key_of_another_shape_cannot_be_the_accounts() {
    let account = xendit::Account {
        secret_key: "sk_test_1".to_owned(),
        ..xendit::Account::default()
    };
    assert!(Sandbox::builder().xendit(account).start().await.is_err());
}

#[tokio::test]
async fn an_external_id_is_no_key_and_finding_by_it_answers_a_list() {
    let merchant = Merchant::new().await;
    let (first, second) = (merchant.invoice().await, merchant.invoice().await);
    let found = merchant.get("/v2/invoices?external_id=order-1").await;
    let found = found.expect(200).json();
    let ids: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert_eq!(ids, [&json!(second), &json!(first)]);
    let none = merchant.get("/v2/invoices?external_id=order-2").await;
    assert_eq!(none.expect(200).json(), json!([]));
}

#[tokio::test]
async fn a_list_is_filtered_and_paged() {
    let merchant = Merchant::new().await;
    let first = merchant.invoice().await;
    merchant.clock.advance(Duration::from_secs(60));
    let second = merchant.invoice().await;
    merchant.sandbox.xendit.pay(&first);
    let ids = async |query: &str| {
        let found = merchant.get(&format!("/v2/invoices?{query}")).await;
        let found = found.expect(200).json();
        let found = found.as_array().unwrap().iter();
        found
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("statuses=PAID").await, [first.as_str()]);
    assert_eq!(ids("statuses=PAID&statuses=PENDING").await.len(), 2);
    assert_eq!(ids("limit=1").await, [second.as_str()]);
    assert_eq!(
        ids(&format!("limit=1&last_invoice={second}")).await,
        [first.as_str()]
    );
    let after = "created_after=2027-01-15T08:00:30Z";
    assert_eq!(ids(after).await, [second.as_str()]);
    assert_eq!(ids("paid_after=2027-01-15T08:00:30Z").await, [first]);
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "created_after=now",
        "reference=1",
    ] {
        let answer = merchant.get(&format!("/v2/invoices?{query}")).await;
        refused(answer, 400, "API_VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_pending_invoice_can_be_expired_once() {
    let merchant = Merchant::new().await;
    let id = merchant.invoice().await;
    let path = format!("/invoices/{id}/expire!");
    let with_body = merchant.post(&path, &json!({})).await;
    refused(with_body, 400, "API_VALIDATION_ERROR");
    let expired = merchant.call("POST", &path).send().await.expect(200);
    assert_eq!(expired.json()["status"], "EXPIRED");
    let again = merchant.call("POST", &path).send().await;
    let refusal = refused(again, 400, "INVOICE_NOT_FOUND_ERROR");
    assert!(refusal["message"].as_str().unwrap().contains("PENDING"));
    let unknown = merchant.call("POST", "/invoices/000/expire!").send().await;
    refused(unknown, 404, "INVOICE_NOT_FOUND_ERROR");
}

#[tokio::test]
async fn an_unknown_invoice_is_not_found() {
    let merchant = Merchant::new().await;
    let answer = merchant.get("/v2/invoices/000000000000000000000000").await;
    refused(answer, 404, "INVOICE_NOT_FOUND_ERROR");
}

#[tokio::test]
async fn planned_errors_are_worded_as_xendit_does() {
    let merchant = Merchant::new().await;
    let knobs = &merchant.sandbox.xendit.knobs;
    for code in xendit::CODES {
        knobs.fail_next(1, code);
        let answer = merchant.get("/v2/invoices").await;
        assert!((400..=503).contains(&answer.status));
        assert_eq!(answer.json()["error_code"], *code);
    }
    let wait = Duration::from_millis(1500);
    knobs.strike(
        None,
        1,
        halobestie_sandbox::Fault::error_for("RATE_LIMIT_EXCEEDED", wait),
    );
    let answer = merchant.get("/v2/invoices").await.expect(429);
    assert_eq!(answer.header("rate-limit-reset"), "1.50");
}

#[tokio::test]
async fn a_lost_answer_leaves_an_invoice_that_can_be_found() {
    let merchant = Merchant::new().await;
    merchant.sandbox.xendit.knobs.lose_next(1);
    let body = json!({ "external_id": "order-9", "amount": 50_000 });
    let call = merchant.call("POST", "/v2/invoices").json(&body);
    assert!(call.try_send().await.is_none());
    let found = merchant.get("/v2/invoices?external_id=order-9").await;
    assert_eq!(found.expect(200).json().as_array().unwrap().len(), 1);
}
