//! Sending a message.

use http::StatusCode;
use serde_json::json;

use super::api::Api;
use super::device::Push;
use super::errors::{misshapen, refused, send_error, unreadable};
use super::message::SEND;
use super::rules::{Target, check};
use crate::upstream::{Answer, Call, Names, conform};

impl Api {
    /// `POST /v1/projects/{project}/messages:send`
    pub(super) fn send(&self, call: &Call) -> Result<Answer, Answer> {
        if !call.bearer().is_some_and(|token| self.opens(token)) {
            return Err(send_error("UNAUTHENTICATED", None));
        }
        if call.segments().get(2) != Some(&self.project_id.as_str()) {
            return Err(send_error("PERMISSION_DENIED", None));
        }
        if !call.is("application/json") {
            return Err(unreadable("The content type must be application/json."));
        }
        let body = call
            .json()
            .map_err(|error| unreadable(&format!("Invalid JSON payload received. {error}")))?;
        let (request, violations) = conform(&body, SEND, Names::Proto);
        if !violations.is_empty() {
            return Err(misshapen(&violations));
        }
        let message = &request["message"];
        let target = check(message)?;
        let project = &self.project_id;
        if request["validate_only"] == true {
            self.count_validated();
            return Ok(named(&format!(
                "projects/{project}/messages/fake_message_id"
            )));
        }
        if !target.is_token {
            return Err(refused("message", "This sandbox has no topics."));
        }
        self.deliver(&target, message)
    }

    fn deliver(&self, target: &Target<'_>, message: &serde_json::Value) -> Result<Answer, Answer> {
        if let Some((code, retry_after)) = self.misbehaviour(target.name) {
            return Err(send_error(&code, retry_after));
        }
        let at = self.clock.now();
        let id = format!("0:{}%{}", at.unix_ms() * 1000, self.random_text());
        let name = format!("projects/{}/messages/{id}", self.project_id);
        self.keep(Push {
            name: name.clone(),
            at,
            target: target.name.to_owned(),
            message: message.clone(),
        });
        Ok(named(&name))
    }
}

fn named(name: &str) -> Answer {
    Answer::json(StatusCode::OK, &json!({ "name": name }))
}
