//! The sandbox's own port: pages for a person, the invoices' pay pages, and control by JSON.
//!
//! Everything is rendered here, without scripts. A button posts a form and comes back to its page.

mod actions;
mod control;
mod html;
mod lists;
mod pay;

use std::collections::BTreeMap;
use std::time::Duration;

use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use self::actions::{OnInvoice, OnRefund, OnWebhook, OnWebhooks};
use self::html::{see, sorry};
use crate::fazpass::Fazpass;
use crate::google::Google;
use crate::upstream::{Answer, Call, Upstream};
use crate::xendit::{Unable, Xendit};

/// What all of it shows.
pub(crate) struct Site {
    pub(crate) fazpass: Fazpass,
    pub(crate) xendit: Xendit,
    pub(crate) google: Google,
}

impl Site {
    /// The environment that points a server here.
    fn variables(&self) -> BTreeMap<&'static str, String> {
        let fazpass = self.fazpass.variables().into_iter();
        fazpass.chain(self.xendit.variables()).collect()
    }

    fn show(&self, path: &[&str]) -> Answer {
        match path {
            [""] => self.home(),
            ["codes"] => self.codes(),
            ["invoices"] => self.invoices(),
            ["refunds"] => self.refunds(),
            ["webhooks"] => self.webhooks(),
            ["pushes"] => self.pushes(),
            ["calls"] => self.calls(),
            ["devices", token] => self.device(token),
            ["pay", id] => self.pay_page(id),
            _ => sorry(StatusCode::NOT_FOUND, "There is no such page."),
        }
    }

    async fn push_button(&self, call: &Call, path: &[&str]) -> Result<Answer, Answer> {
        match path {
            ["pay", id] => {
                let action: OnInvoice = form(call)?;
                self.on_invoice(id, action).map_err(cannot)?;
                Ok(see(&format!("/pay/{id}")))
            }
            ["refunds", id] => {
                let action: OnRefund = form(call)?;
                self.on_refund(id, &action).map_err(cannot)?;
                Ok(see("/refunds"))
            }
            ["webhooks"] => {
                let action: OnWebhooks = form(call)?;
                self.on_webhooks(action).await;
                Ok(see("/webhooks"))
            }
            ["webhooks", id] => {
                let action: OnWebhook = form(call)?;
                self.on_webhook(id, action).await.map_err(cannot)?;
                Ok(see("/webhooks"))
            }
            _ => Err(sorry(StatusCode::NOT_FOUND, "There is no such button.")),
        }
    }
}

impl Upstream for Site {
    fn operation(&self, call: &Call) -> &'static str {
        match call.segments().first() {
            Some(&"_sandbox") => "control",
            _ => "page",
        }
    }

    async fn answer(&self, _: &'static str, call: &Call) -> Answer {
        let segments = call.segments();
        if let ["_sandbox", path @ ..] = segments.as_slice() {
            return self.control(call, path).await;
        }
        match call.method {
            Method::GET => self.show(&segments),
            Method::POST => {
                let pushed = self.push_button(call, &segments).await;
                pushed.unwrap_or_else(|refusal| refusal)
            }
            _ => sorry(
                StatusCode::METHOD_NOT_ALLOWED,
                "Pages are read, buttons are pushed.",
            ),
        }
    }

    /// Nothing goes wrong here by itself.
    fn failure(&self, _: &str, _: Option<Duration>) -> Answer {
        sorry(StatusCode::INTERNAL_SERVER_ERROR, "As planned.")
    }
}

/// A form's fields as if they were JSON. A button has no more than texts to send.
fn form<T: DeserializeOwned>(call: &Call) -> Result<T, Answer> {
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(&call.body)
        .map_err(|error| sorry(StatusCode::BAD_REQUEST, &error.to_string()))?;
    let fields: Map<String, Value> = fields
        .into_iter()
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    serde_json::from_value(Value::Object(fields))
        .map_err(|error| sorry(StatusCode::BAD_REQUEST, &error.to_string()))
}

fn cannot(unable: Unable) -> Answer {
    let status = match unable {
        Unable::Unknown => StatusCode::NOT_FOUND,
        Unable::WrongStatus | Unable::TooOften => StatusCode::CONFLICT,
    };
    sorry(status, &unable.to_string())
}
