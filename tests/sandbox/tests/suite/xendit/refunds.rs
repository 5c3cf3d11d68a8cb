//! Refunds.

use halobestie_sandbox::xendit::Channel;
use serde_json::{Value, json};

use super::{Merchant, refused};
use crate::client::Answer;

impl Merchant {
    async fn refund(&self, key: &str, body: &Value) -> Answer {
        let call = self.call("POST", "/refunds").header("idempotency-key", key);
        call.json(body).send().await
    }

    async fn paid(&self) -> String {
        let id = self.invoice().await;
        self.sandbox.xendit.pay(&id);
        id
    }
}

fn body(invoice_id: &str) -> Value {
    json!({ "invoice_id": invoice_id, "reason": "REQUESTED_BY_CUSTOMER" })
}

fn part(invoice_id: &str, amount: i64) -> Value {
    let mut part = body(invoice_id);
    part["amount"] = amount.into();
    part
}

#[tokio::test]
async fn a_refund_waits_for_its_channel_and_is_told_at_its_end() {
    let merchant = Merchant::new().await;
    let id = merchant.paid().await;
    let refund = merchant.refund("k", &body(&id)).await.expect(200).json();
    assert_eq!(refund["status"], "PENDING");
    assert_eq!(refund["amount"], 50_000);
    let refund_id = refund["id"].as_str().unwrap();
    assert!(refund_id.starts_with("rfd-"));
    merchant.sandbox.xendit.succeed_refund(refund_id);
    let read = merchant.get(&format!("/refunds/{refund_id}")).await;
    assert_eq!(read.expect(200).json()["status"], "SUCCEEDED");
    let told = merchant.sandbox.xendit.webhooks_about(refund_id);
    assert_eq!(told[0].body["event"], "refund.succeeded");
    assert_eq!(told[0].body["data"]["id"], refund_id);
    let listed = merchant.get(&format!("/refunds?invoice_id={id}")).await;
    assert_eq!(listed.expect(200).json()["data"][0]["id"], refund_id);
    assert_eq!(
        merchant.sandbox.xendit.refunds()[0]
            .idempotency_key
            .as_deref(),
        Some("k")
    );
}

#[tokio::test]
async fn a_failed_refund_says_why_and_frees_its_money() {
    let merchant = Merchant::new().await;
    let id = merchant.paid().await;
    merchant.sandbox.xendit.nest_refund_events(true);
    let refund = merchant.refund("k", &body(&id)).await.expect(200).json();
    let refund_id = refund["id"].as_str().unwrap();
    merchant
        .sandbox
        .xendit
        .fail_refund(refund_id, "ACCOUNT_NOT_FOUND");
    let told = merchant.sandbox.xendit.webhooks_about(refund_id);
    assert_eq!(told[0].body["event"], "refund.failed");
    assert_eq!(
        told[0].body["data"]["data"]["failure_code"],
        "ACCOUNT_NOT_FOUND"
    );
    merchant.refund("k2", &body(&id)).await.expect(200);
}

#[tokio::test]
async fn a_key_gives_its_first_answer_again_and_takes_no_other_body() {
    let merchant = Merchant::new().await;
    let id = merchant.paid().await;
    let first = merchant.refund("k", &part(&id, 10_000)).await.expect(200);
    let again = merchant.refund("k", &part(&id, 10_000)).await.expect(200);
    assert_eq!(first.json(), again.json());
    assert_eq!(merchant.sandbox.xendit.refunds().len(), 1);
    let other = merchant.refund("k", &part(&id, 20_000)).await;
    refused(other, 409, "DUPLICATE_ERROR");
}

#[tokio::test]
async fn no_more_goes_back_than_came_in() {
    let merchant = Merchant::new().await;
    let id = merchant.paid().await;
    let first = merchant
        .refund("1", &part(&id, 30_000))
        .await
        .expect(200)
        .json();
    let running = merchant.refund("2", &part(&id, 20_000)).await;
    refused(running, 400, "REFUND_IN_PROGRESS");
    merchant
        .sandbox
        .xendit
        .succeed_refund(first["id"].as_str().unwrap());
    let too_much = merchant.refund("3", &part(&id, 20_001)).await;
    refused(too_much, 400, "REFUND_AMOUNT_EXCEEDED");
    let rest = merchant.refund("4", &body(&id)).await.expect(200).json();
    assert_eq!(rest["amount"], 20_000);
    merchant
        .sandbox
        .xendit
        .succeed_refund(rest["id"].as_str().unwrap());
    let nothing_left = merchant.refund("5", &body(&id)).await;
    refused(nothing_left, 400, "REFUND_AMOUNT_EXCEEDED");
}

#[tokio::test]
async fn one_of_two_payments_can_go_back_by_its_own_id() {
    let merchant = Merchant::new().await;
    let id = merchant.invoice().await;
    let [_, second] = merchant.sandbox.xendit.pay_twice(&id);
    let body = json!({ "payment_request_id": second.payment_request_id, "reason": "DUPLICATE" });
    let refund = merchant.refund("k", &body).await.expect(200).json();
    assert_eq!(refund["amount"], 50_000);
    assert_eq!(refund["payment_id"], second.payment_id.as_str());
}

#[tokio::test]
async fn what_cannot_be_refunded_is_refused() {
    let merchant = Merchant::new().await;
    let pending = merchant.invoice().await;
    refused(
        merchant.refund("1", &body(&pending)).await,
        400,
        "INELIGIBLE_TRANSACTION_STATUS",
    );
    refused(
        merchant.refund("2", &body("unknown")).await,
        404,
        "DATA_NOT_FOUND",
    );
    let by_bank = merchant.invoice().await;
    merchant.sandbox.xendit.pay_by(&by_bank, Channel::Bca);
    refused(
        merchant.refund("3", &body(&by_bank)).await,
        403,
        "REFUND_NOT_SUPPORTED",
    );
    let paid = merchant.paid().await;
    let wrong = [
        json!({ "invoice_id": paid }),
        json!({ "invoice_id": paid, "reason": "BECAUSE" }),
        json!({ "reason": "OTHERS" }),
        json!({ "invoice_id": paid, "payment_request_id": "pr-1", "reason": "OTHERS" }),
        json!({ "invoice_id": paid, "reason": "OTHERS", "amount": "50000" }),
        json!({ "invoice_id": paid, "reason": "OTHERS", "currency": "USD" }),
        json!({ "invoice_id": paid, "reason": "OTHERS", "note": "x" }),
    ];
    for body in wrong {
        refused(
            merchant.refund("4", &body).await,
            400,
            "API_VALIDATION_ERROR",
        );
    }
    let by_query = merchant.get("/refunds?limit=1").await;
    refused(by_query, 400, "API_VALIDATION_ERROR");
    refused(merchant.get("/refunds/rfd-0").await, 404, "DATA_NOT_FOUND");
    assert!(merchant.sandbox.xendit.refunds().is_empty());
}

#[tokio::test]
async fn a_pending_refund_can_be_cancelled() {
    let merchant = Merchant::new().await;
    let id = merchant.paid().await;
    let refund = merchant.refund("k", &body(&id)).await.expect(200).json();
    let path = format!("/refunds/{}/cancel", refund["id"].as_str().unwrap());
    let cancelled = merchant.call("POST", &path).send().await.expect(200);
    assert_eq!(cancelled.json()["status"], "CANCELLED");
    let again = merchant.call("POST", &path).send().await;
    refused(again, 400, "INELIGIBLE_TRANSACTION_STATUS");
}
