//! Google: tokens for assertions, and what FCM takes, refuses and remembers.

mod assertions;
mod devices;
mod payloads;
mod sending;

use halobestie_core::clock::Clock;
use halobestie_core::timestamp::Timestamp;
use halobestie_sandbox::Sandbox;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use serde_json::{Value, json};

use crate::client::{Answer, Http};

const NOW: i64 = 1_800_000_000;
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

struct Sender {
    sandbox: Sandbox,
    http: Http,
    clock: Clock,
    account: Value,
}

impl Sender {
    async fn new() -> Self {
        let clock = Clock::manual(Timestamp::from_unix_ms(NOW * 1000));
        let sandbox = Sandbox::with_clock(clock.clone()).await;
        let account = serde_json::from_str(&sandbox.google.service_account()).unwrap();
        Self {
            sandbox,
            http: Http::http2(),
            clock,
            account,
        }
    }

    fn claims(&self) -> Value {
        json!({
            "iss": self.account["client_email"],
            "scope": SCOPE,
            "aud": self.account["token_uri"],
            "iat": NOW - 10,
            "exp": NOW + 3590,
        })
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = self.account["private_key_id"].as_str().map(str::to_owned);
        header
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        let pem = self.account["private_key"].as_str().unwrap();
        let key = RsaPrivateKey::from_pkcs8_pem(pem).unwrap();
        let der = key.to_pkcs1_der().unwrap();
        encode(header, claims, &EncodingKey::from_rsa_der(der.as_bytes())).unwrap()
    }

    fn assertion(&self) -> String {
        self.sign(&self.header(), &self.claims())
    }

    async fn token_answer(&self, form: &[(&str, &str)]) -> Answer {
        let uri = self.account["token_uri"].as_str().unwrap();
        let form = serde_urlencoded::to_string(form).unwrap();
        let call = self.http.post(uri);
        call.body("application/x-www-form-urlencoded", form)
            .send()
            .await
    }

    async fn exchange(&self, assertion: &str) -> Answer {
        let form = [("grant_type", GRANT_TYPE), ("assertion", assertion)];
        self.token_answer(&form).await
    }

    async fn access_token(&self) -> String {
        let answer = self.exchange(&self.assertion()).await.expect(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn send_url(&self) -> String {
        let google = &self.sandbox.google;
        format!(
            "{}/v1/projects/{}/messages:send",
            google.base_url(),
            google.project_id()
        )
    }

    async fn send_with(&self, access_token: &str, body: &Value) -> Answer {
        let call = self.http.post(&self.send_url()).bearer(access_token);
        call.json(body).send().await
    }

    /// Sends a message to this device with these fields beside.
    async fn send(&self, access_token: &str, device: &str, fields: &Value) -> Answer {
        let mut message = fields.clone();
        message["token"] = self.sandbox.google.device(device).into();
        self.send_with(access_token, &json!({ "message": message }))
            .await
    }
}

/// The code of FCM in an error's details.
fn fcm_code(error: &Value) -> Option<&str> {
    let details = error["error"]["details"].as_array()?.iter();
    let mut codes = details.filter_map(|it| it["errorCode"].as_str());
    codes.next()
}
