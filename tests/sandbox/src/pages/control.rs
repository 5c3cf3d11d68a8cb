//! The same by JSON, under `/_sandbox`: what was sent, what is to happen, and the knobs.
//!
//! | call | |
//! |---|---|
//! | GET `/_sandbox` | the environment that points a server here |
//! | GET `/_sandbox/codes?to=`, `invoices?external_id=`, `refunds`, `webhooks?about=`, `pushes?target=`, `calls?service=` | `{items}`, oldest first |
//! | POST `/_sandbox/invoices/{id}` | `{action: pay, pay_late, pay_twice, pay_wrong_amount, partial, expire}`, with `channel` or `amount` |
//! | POST `/_sandbox/refunds/{id}` | `{action: succeed, fail}`, with `failure_code` |
//! | POST `/_sandbox/webhooks` | `{action: hold, release, release_backwards, lose, send_to}`, the last with `url` |
//! | POST `/_sandbox/webhooks/{id}` | `{action: resend}` |
//! | POST `/_sandbox/devices` | `{token, code, retry_after_seconds?}`; `code` null: it works again |
//! | GET, DELETE `/_sandbox/knobs` | all knobs; DELETE takes everything back |
//! | POST `/_sandbox/knobs` | `{service, delay_ms?, slow_body_ms?, down?, planned?}`: sets a service's knobs |
//! | POST `/_sandbox/faults` | `{service, operation?, times?, fault: {kind: error, lost, cut, slow, raw, …}}`: adds one |

use std::time::Duration;

use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Site;
use super::actions::{OnInvoice, OnRefund, OnWebhook, OnWebhooks};
use crate::google::SEND_CODES;
use crate::knobs::{Conditions, Fault, Knobs, Planned};
use crate::upstream::{Answer, Call};
use crate::xendit::Unable;

/// An upstream.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Service {
    Fazpass,
    Xendit,
    Google,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetKnobs {
    service: Service,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    slow_body_ms: u64,
    #[serde(default)]
    down: bool,
    #[serde(default)]
    planned: Vec<Planned>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddFault {
    service: Service,
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    times: Option<u32>,
    fault: Fault,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Misbehave {
    token: String,
    code: Option<String>,
    #[serde(default)]
    retry_after_seconds: Option<f64>,
}

type Outcome = Result<Answer, Answer>;

impl Site {
    /// A call under `/_sandbox`; `path` is what follows.
    pub(super) async fn control(&self, call: &Call, path: &[&str]) -> Answer {
        let outcome = match (&call.method, path) {
            (&Method::GET, []) => Ok(ok(&json!({ "variables": self.variables() }))),
            (&Method::GET, ["knobs"]) => Ok(self.all_knobs()),
            (&Method::GET, [list]) => self.list(list, call),
            (&Method::DELETE, ["knobs"]) => Ok(self.reset_knobs().await),
            (&Method::POST, path) => self.command(call, path).await,
            _ => Err(failed(StatusCode::NOT_FOUND, "no such path")),
        };
        outcome.unwrap_or_else(|failure| failure)
    }

    fn list(&self, list: &str, call: &Call) -> Outcome {
        Ok(match list {
            "codes" => items(self.fazpass.messages(), call),
            "invoices" => items(self.xendit.invoices(), call),
            "refunds" => items(self.xendit.refunds(), call),
            "webhooks" => items(self.xendit.webhooks(), call),
            "pushes" => items(self.google.pushes(), call),
            "calls" => ok(&json!({ "items": self.calls_of(call)? })),
            _ => return Err(failed(StatusCode::NOT_FOUND, "no such list")),
        })
    }

    fn calls_of(&self, call: &Call) -> Result<Value, Answer> {
        let query = call.query_pairs();
        let service = query.iter().find(|(name, _)| name == "service");
        let calls = match service.map(|(_, value)| value.as_str()) {
            Some("fazpass") => self.fazpass.calls(),
            Some("xendit") => self.xendit.calls(),
            Some("google") => self.google.calls(),
            _ => return Err(bad_request("service is fazpass, xendit or google")),
        };
        Ok(json!(calls))
    }

    async fn command(&self, call: &Call, path: &[&str]) -> Outcome {
        match path {
            ["invoices", id] => done(self.on_invoice(id, read::<OnInvoice>(call)?)),
            ["refunds", id] => done(self.on_refund(id, &read::<OnRefund>(call)?)),
            ["webhooks"] => {
                self.on_webhooks(read::<OnWebhooks>(call)?).await;
                done(Ok(()))
            }
            ["webhooks", id] => {
                let outcome = self.on_webhook(id, read::<OnWebhook>(call)?).await;
                let outcome = outcome.map_err(unable)?;
                Ok(ok(&json!({ "outcome": outcome })))
            }
            ["devices"] => self.misbehave(&read(call)?),
            ["knobs"] => self.set_knobs(read(call)?).await,
            ["faults"] => self.add_fault(read(call)?),
            _ => Err(failed(StatusCode::NOT_FOUND, "no such path")),
        }
    }

    fn misbehave(&self, how: &Misbehave) -> Outcome {
        let wait = how.retry_after_seconds;
        let wait = wait.and_then(|it| Duration::try_from_secs_f64(it).ok());
        match how.code.as_deref() {
            None => self.google.device_works(&how.token),
            Some(code) if SEND_CODES.contains(&code) => {
                self.google.device_fails_for(&how.token, code, wait);
            }
            Some(_) => return Err(bad_request(&format!("codes: {}", SEND_CODES.join(", ")))),
        }
        done(Ok(()))
    }

    fn knobs(&self, service: Service) -> &Knobs {
        match service {
            Service::Fazpass => &self.fazpass.knobs,
            Service::Xendit => &self.xendit.knobs,
            Service::Google => &self.google.knobs,
        }
    }

    fn all_knobs(&self) -> Answer {
        ok(&json!({
            "fazpass": self.fazpass.knobs.conditions(),
            "xendit": self.xendit.knobs.conditions(),
            "google": self.google.knobs.conditions(),
        }))
    }

    async fn reset_knobs(&self) -> Answer {
        for service in [Service::Fazpass, Service::Xendit, Service::Google] {
            self.knobs(service).reset().await;
        }
        self.all_knobs()
    }

    async fn set_knobs(&self, set: SetKnobs) -> Outcome {
        let conditions = Conditions {
            delay_ms: set.delay_ms,
            slow_body_ms: set.slow_body_ms,
            down: set.down,
            planned: set.planned.into(),
        };
        let outcome = self.knobs(set.service).set(conditions).await;
        outcome.map_err(|error| bad_request(&error.to_string()))?;
        Ok(self.all_knobs())
    }

    fn add_fault(&self, add: AddFault) -> Outcome {
        let planned = Planned {
            operation: add.operation,
            times: add.times.unwrap_or(1),
            fault: add.fault,
        };
        let outcome = self.knobs(add.service).plan(planned);
        outcome.map_err(|error| bad_request(&error.to_string()))?;
        Ok(self.all_knobs())
    }
}

/// The items whose fields are as the query says.
fn items<T: Serialize>(items: Vec<T>, call: &Call) -> Answer {
    let query = call.query_pairs();
    let mut items: Vec<Value> = items.iter().map(|it| json!(it)).collect();
    items.retain(|item| {
        let mut wanted = query.iter();
        wanted.all(|(field, value)| item[field].as_str() == Some(value.trim_start_matches('+')))
    });
    ok(&json!({ "items": items }))
}

fn read<T: DeserializeOwned>(call: &Call) -> Result<T, Answer> {
    serde_json::from_slice(&call.body).map_err(|error| bad_request(&error.to_string()))
}

fn done(outcome: Result<(), Unable>) -> Outcome {
    outcome.map_err(unable)?;
    Ok(ok(&json!({ "done": true })))
}

fn unable(unable: Unable) -> Answer {
    let status = match unable {
        Unable::Unknown => StatusCode::NOT_FOUND,
        Unable::WrongStatus | Unable::TooOften => StatusCode::CONFLICT,
    };
    failed(status, &unable.to_string())
}

fn bad_request(reason: &str) -> Answer {
    failed(StatusCode::BAD_REQUEST, reason)
}

fn failed(status: StatusCode, reason: &str) -> Answer {
    Answer::json(status, &json!({ "error": reason }))
}

fn ok(body: &Value) -> Answer {
    Answer::json(StatusCode::OK, body)
}
