//! What Fazpass does with a call. No I/O: messages go into a list.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use http::{HeaderName, Method, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::bodies::{GENERATE, REQUEST, SEND, VERIFY, receipt, refusal, success};
use super::{Account, Channel, Gateway, Message};
use crate::ring::{Kept, Ring};
use crate::upstream::{Answer, Call, Field, Names, Upstream, conform};

/// Digits of the codes that it makes.
const CODE_DIGITS: u32 = 6;
/// Phones that may be refused at once.
const REFUSED_MAX: usize = 10_000;

/// The upstream.
pub(crate) struct Api {
    account: Account,
    clock: Clock,
    entropy: Entropy,
    state: Mutex<State>,
}

struct State {
    messages: Ring<Message>,
    /// Codes of its own making, which alone it checks.
    made: Ring<Made>,
    refused: HashSet<String>,
}

struct Made {
    id: String,
    code: String,
}

impl Kept for Made {
    fn id(&self) -> &str {
        &self.id
    }
}

type Outcome = Result<Answer, Answer>;

impl Api {
    pub(crate) fn new(account: Account, clock: Clock, entropy: Entropy, keep: usize) -> Self {
        Self {
            account,
            clock,
            entropy,
            state: Mutex::new(State {
                messages: Ring::new(keep),
                made: Ring::new(keep),
                refused: HashSet::new(),
            }),
        }
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        self.lock().messages.iter().cloned().collect()
    }

    pub(super) fn refuse(&self, phone: &str, refused: bool) {
        let mut state = self.lock();
        if !refused {
            state.refused.remove(phone);
        } else if state.refused.len() < REFUSED_MAX {
            state.refused.insert(phone.to_owned());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What holds for every call: a POST of JSON by the merchant.
    fn admit(&self, call: &Call, fields: &'static [Field]) -> Result<Value, Answer> {
        if call.method != Method::POST {
            let answer = refusal(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
            return Err(answer.with(header::ALLOW, "POST"));
        }
        if call.bearer() != Some(self.account.merchant_key.as_str()) {
            return Err(refusal(StatusCode::UNAUTHORIZED, "unauthorized"));
        }
        if !call.is("application/json") {
            let reason = "content type must be application/json";
            return Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
        }
        let body = call
            .json()
            .map_err(|error| bad_request(&format!("invalid json: {error}")))?;
        let (body, violations) = conform(&body, fields, Names::Exact);
        match violations.first() {
            None => Ok(body),
            Some(violation) => Err(bad_request(&violation.message())),
        }
    }

    /// Makes a code and sends it.
    fn request(&self, call: &Call) -> Outcome {
        let body = self.admit(call, REQUEST)?;
        let to = match (body["phone"].as_str(), body["email"].as_str()) {
            (Some(phone), None) => phone_number(phone)?,
            (None, Some(email)) if email.contains('@') => email.to_owned(),
            _ => return Err(bad_request("either \"phone\" or \"email\" is required")),
        };
        let gateway = self.gateway(&body)?;
        if (gateway.channel == Channel::Email) != body["email"].is_string() {
            return Err(bad_request("the gateway's channel does not reach this"));
        }
        let message = self.message("request", to, self.make_code(), gateway, &body);
        self.keep_code(&message);
        self.deliver(message)
    }

    /// Makes a code and sends nothing.
    fn generate(&self, call: &Call) -> Outcome {
        let body = self.admit(call, GENERATE)?;
        let to = phone_number(text(&body, "phone"))?;
        let gateway = self.gateway(&body)?;
        let message = self.message("generate", to, self.make_code(), gateway, &body);
        self.keep_code(&message);
        Ok(success("OTP generated", &receipt(&message)))
    }

    /// Sends the caller's code.
    fn send(&self, call: &Call) -> Outcome {
        let body = self.admit(call, SEND)?;
        let to = phone_number(text(&body, "phone"))?;
        let code = text(&body, "otp");
        if !(4..=10).contains(&code.len()) || !code.bytes().all(|it| it.is_ascii_digit()) {
            return Err(bad_request("\"otp\" must be 4 to 10 digits"));
        }
        let gateway = self.gateway(&body)?;
        if gateway.channel == Channel::Email {
            return Err(bad_request("the gateway's channel does not reach this"));
        }
        self.deliver(self.message("send", to, code.to_owned(), gateway, &body))
    }

    /// Checks a code that was made here. Whether the vendor checks codes of others is not known, so
    /// nobody should rely on it.
    fn verify(&self, call: &Call) -> Outcome {
        let body = self.admit(call, VERIFY)?;
        let state = self.lock();
        let Some(made) = state.made.get(text(&body, "otp_id")) else {
            return Err(refusal(StatusCode::NOT_FOUND, "otp id not found"));
        };
        if made.code != text(&body, "otp") {
            return Ok(refusal(StatusCode::OK, "wrong otp"));
        }
        Ok(success("verified", &json!({ "status": true })))
    }

    fn gateway(&self, body: &Value) -> Result<&Gateway, Answer> {
        let key = text(body, "gateway_key");
        if Uuid::try_parse(key).is_err() {
            return Err(bad_request("\"gateway_key\" must be a uuid"));
        }
        let known = self.account.gateways.iter().find(|it| it.key == key);
        known.ok_or_else(|| refusal(StatusCode::NOT_FOUND, "gateway not found"))
    }

    fn message(
        &self,
        operation: &'static str,
        to: String,
        code: String,
        gateway: &Gateway,
        body: &Value,
    ) -> Message {
        Message {
            otp_id: self.entropy.uuid(&self.clock).to_string(),
            at: self.clock.now(),
            to,
            code,
            channel: gateway.channel,
            gateway_key: gateway.key.clone(),
            operation,
            params: body["params"].clone(),
        }
    }

    fn make_code(&self) -> String {
        let code = self.entropy.below(10_u64.pow(CODE_DIGITS));
        format!("{code:0width$}", width = CODE_DIGITS as usize)
    }

    fn keep_code(&self, message: &Message) {
        self.lock().made.push(Made {
            id: message.otp_id.clone(),
            code: message.code.clone(),
        });
    }

    fn deliver(&self, message: Message) -> Outcome {
        let mut state = self.lock();
        if state.refused.contains(&message.to) {
            return Err(refusal(StatusCode::OK, "message refused by the provider"));
        }
        let answer = success("OTP sent", &receipt(&message));
        state.messages.push(message);
        Ok(answer)
    }
}

impl Upstream for Api {
    fn operation(&self, call: &Call) -> &'static str {
        match call.path.as_str() {
            "/v1/otp/request" => "request",
            "/v1/otp/generate" => "generate",
            "/v1/otp/send" => "send",
            "/v1/otp/verify" => "verify",
            _ => "unknown",
        }
    }

    async fn answer(&self, operation: &'static str, call: &Call) -> Answer {
        let outcome = match operation {
            "request" => self.request(call),
            "generate" => self.generate(call),
            "send" => self.send(call),
            "verify" => self.verify(call),
            _ => Err(refusal(StatusCode::NOT_FOUND, "page not found")),
        };
        outcome.unwrap_or_else(|refusal| refusal)
    }

    fn failure(&self, code: &str, retry_after: Option<Duration>) -> Answer {
        let status = StatusCode::from_bytes(code.as_bytes()).unwrap_or(StatusCode::OK);
        let reason = status.canonical_reason().unwrap_or("failed");
        let message = if status == StatusCode::OK {
            "message refused by the provider"
        } else {
            reason
        };
        let answer = refusal(status, message);
        match retry_after {
            Some(wait) => with_retry_after(answer, wait),
            None => answer,
        }
    }
}

fn with_retry_after(answer: Answer, wait: Duration) -> Answer {
    let name: HeaderName = header::RETRY_AFTER;
    answer.with(name, &wait.as_secs_f64().ceil().to_string())
}

fn bad_request(reason: &str) -> Answer {
    refusal(StatusCode::BAD_REQUEST, reason)
}

/// A field that the shape has already found to be text.
fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap_or_default()
}

/// Digits with the country's code, without a plus, as the vendor's own pages write them.
fn phone_number(phone: &str) -> Result<String, Answer> {
    let digits = phone.bytes().all(|it| it.is_ascii_digit());
    if digits && (9..=15).contains(&phone.len()) && !phone.starts_with('0') {
        Ok(phone.to_owned())
    } else {
        let reason = "\"phone\" must be digits with country code, such as 62812…";
        Err(bad_request(reason))
    }
}
