//! The token endpoint.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use serde_json::{Value, json};

use super::{GRANT_TYPE, NOW, Sender};
use crate::client::Answer;

#[track_caller]
fn refused(answer: Answer, code: &str) -> Value {
    let body = answer.expect(400).json();
    assert_eq!(body["error"], code, "{body}");
    body
}

#[tokio::test]
async fn the_service_account_has_the_shape_that_google_gives() {
    let sender = Sender::new().await;
    let account = &sender.account;
    assert_eq!(account["type"], "service_account");
    assert_eq!(account["universe_domain"], "googleapis.com");
    assert_eq!(account["project_id"], sender.sandbox.google.project_id());
    assert_eq!(account["private_key_id"].as_str().unwrap().len(), 40);
    let key = account["private_key"].as_str().unwrap();
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(key.ends_with("-----END PRIVATE KEY-----\n"));
    assert!(sender.sandbox.google.service_account().contains("\\n"));
}

#[tokio::test]
async fn a_signed_assertion_gets_a_token() {
    let sender = Sender::new().await;
    let answer = sender
        .exchange(&sender.assertion())
        .await
        .expect(200)
        .json();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3599);
    assert_eq!(sender.sandbox.google.calls()[0].version, "HTTP/2.0");
}

#[tokio::test]
async fn claims_that_are_not_right_get_none() {
    let sender = Sender::new().await;
    let refusals = [
        (
            "iss",
            json!("stranger@x.iam.gserviceaccount.com"),
            "invalid_grant",
        ),
        ("iss", Value::Null, "invalid_grant"),
        (
            "aud",
            json!("https://oauth2.googleapis.com/token"),
            "invalid_grant",
        ),
        (
            "scope",
            json!("https://www.googleapis.com/auth/drive"),
            "invalid_scope",
        ),
        ("scope", Value::Null, "invalid_scope"),
        // Of the future, by a second.
        ("iat", json!(NOW + 1), "invalid_grant"),
        ("iat", Value::Null, "invalid_grant"),
        ("exp", json!(NOW), "invalid_grant"),
        ("exp", json!(NOW + 3591), "invalid_grant"),
        ("exp", Value::Null, "invalid_grant"),
    ];
    for (claim, value, code) in refusals {
        let mut claims = sender.claims();
        claims[claim] = value;
        let assertion = sender.sign(&sender.header(), &claims);
        refused(sender.exchange(&assertion).await, code);
    }
    let mut claims = sender.claims();
    claims["sub"] = "somebody@x.example".into();
    let assertion = sender.sign(&sender.header(), &claims);
    let answer = sender.exchange(&assertion).await.expect(401);
    assert_eq!(answer.json()["error"], "unauthorized_client");
}

#[tokio::test]
async fn an_assertion_is_judged_by_the_sandboxs_clock() {
    let sender = Sender::new().await;
    let assertion = sender.assertion();
    sender.clock.advance(std::time::Duration::from_secs(3590));
    let refusal = refused(sender.exchange(&assertion).await, "invalid_grant");
    let words = refusal["error_description"].as_str().unwrap();
    assert!(words.starts_with("Invalid JWT: Token must be a short-lived token"));
}

#[tokio::test]
async fn a_signature_of_another_key_or_kind_gets_none() {
    let sender = Sender::new().await;
    let pem = sender.account["private_key"].as_str().unwrap();
    let ours = <rsa::RsaPrivateKey as rsa::pkcs8::DecodePrivateKey>::from_pkcs8_pem(pem).unwrap();
    // HS256 under the public key, the classic confusion.
    let public = rsa::RsaPublicKey::from(&ours).to_pkcs1_der().unwrap();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = sender.header().kid;
    let secret = EncodingKey::from_secret(public.as_bytes());
    let confused = encode(&header, &sender.claims(), &secret).unwrap();
    // RS512 under the right key, another kid, no kid, a changed payload.
    let mut other_kid = sender.header();
    other_kid.kid = Some("0".repeat(40));
    let mut no_kid = sender.header();
    no_kid.kid = None;
    let mut rs512 = sender.header();
    rs512.alg = Algorithm::RS512;
    let der = ours.to_pkcs1_der().unwrap();
    let key = EncodingKey::from_rsa_der(der.as_bytes());
    let rs512 = encode(&rs512, &sender.claims(), &key).unwrap();
    let mut parts: Vec<_> = sender.assertion().split('.').map(str::to_owned).collect();
    parts[1] = confused.split('.').nth(1).unwrap().replacen('A', "B", 1);
    let assertions = [
        confused,
        rs512,
        sender.sign(&other_kid, &sender.claims()),
        sender.sign(&no_kid, &sender.claims()),
        parts.join("."),
        "not.a.jwt".to_owned(),
        String::new(),
    ];
    for assertion in assertions {
        refused(sender.exchange(&assertion).await, "invalid_grant");
    }
}

#[tokio::test]
async fn a_deleted_key_gets_none() {
    let sender = Sender::new().await;
    sender.sandbox.google.set_key_exists(false);
    let refusal = refused(sender.exchange(&sender.assertion()).await, "invalid_grant");
    assert_eq!(refusal["error_description"], "Invalid JWT Signature.");
    sender.sandbox.google.set_key_exists(true);
    sender.access_token().await;
}

#[tokio::test]
async fn a_form_that_is_not_exactly_a_grant_request_is_refused() {
    let sender = Sender::new().await;
    let assertion = sender.assertion();
    let (grant, signed) = (
        ("grant_type", GRANT_TYPE),
        ("assertion", assertion.as_str()),
    );
    for form in [
        vec![grant],
        vec![signed],
        vec![grant, signed, signed],
        vec![grant, signed, ("client_id", "1")],
    ] {
        refused(sender.token_answer(&form).await, "invalid_request");
    }
    let password = sender
        .token_answer(&[("grant_type", "password"), signed])
        .await;
    refused(password, "unsupported_grant_type");
    let uri = sender.sandbox.google.token_uri();
    let json = json!({ "grant_type": GRANT_TYPE, "assertion": assertion });
    refused(
        sender.http.post(&uri).json(&json).send().await,
        "invalid_request",
    );
    let get = sender.http.get(&uri).send().await;
    assert!(get.expect(404).body.starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn planned_errors_of_tokens_strike_tokens_alone() {
    let sender = Sender::new().await;
    let token = sender.access_token().await;
    let knobs = &sender.sandbox.google.knobs;
    knobs.fail_next(1, "internal_failure");
    knobs.fail_next(1, "UNAVAILABLE");
    let answer = sender.send(&token, "a", &json!({})).await.expect(503);
    assert_eq!(super::fcm_code(&answer.json()), Some("UNAVAILABLE"));
    let answer = sender.exchange(&sender.assertion()).await.expect(500);
    assert_eq!(answer.json()["error"], "internal_failure");
    assert!(knobs.conditions().planned.is_empty());
}
