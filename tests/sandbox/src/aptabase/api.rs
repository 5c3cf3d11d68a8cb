//! What Aptabase does with a call. No I/O: events go into a list.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use halobestie_core::clock::Clock;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::{APP_KEY, Event, body};
use crate::upstream::{Answer, Call, Upstream};

/// Events of one call at most.
const BATCH_MAX: usize = 25;

/// The upstream.
pub(crate) struct Api {
    clock: Clock,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    events: Vec<Event>,
    dropped: Vec<String>,
}

impl Api {
    pub(super) fn new(clock: Clock) -> Self {
        let taken = Mutex::default();
        Self { clock, taken }
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.taken().events.clone()
    }

    pub(super) fn dropped(&self) -> Vec<String> {
        self.taken().dropped.clone()
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, call: &Call) -> Result<Answer, Answer> {
        if call.method != Method::POST {
            let answer = said(StatusCode::METHOD_NOT_ALLOWED, "");
            return Err(answer.with(header::ALLOW, "POST"));
        }
        if !call.is("application/json") {
            return Err(said(StatusCode::UNSUPPORTED_MEDIA_TYPE, ""));
        }
        let Ok(Value::Array(batch)) = call.json() else {
            return Err(said(StatusCode::BAD_REQUEST, "The body is no array."));
        };
        if batch.len() > BATCH_MAX {
            return Err(said(
                StatusCode::BAD_REQUEST,
                "Too many events in one request.",
            ));
        }
        match call.header("app-key") {
            None => return Err(said(StatusCode::BAD_REQUEST, "Missing App-Key header.")),
            Some(key) if key.eq_ignore_ascii_case(APP_KEY) => {}
            Some(_) => return Err(said(StatusCode::NOT_FOUND, "Application not found.")),
        }
        for event in batch {
            self.take_one(event);
        }
        Ok(Answer::json(StatusCode::OK, &json!({})))
    }

    fn take_one(&self, event: Value) {
        let now = self.clock.now();
        let mut taken = self.taken();
        match body::trouble(&event, now) {
            Some(trouble) => taken.dropped.push(trouble),
            None => taken.events.push(Event {
                at: now,
                name: event["eventName"].as_str().unwrap_or_default().to_owned(),
                body: event,
            }),
        }
    }
}

impl Upstream for Api {
    fn operation(&self, call: &Call) -> &'static str {
        match call.path.as_str() {
            "/api/v0/events" => "events",
            _ => "unknown",
        }
    }

    async fn answer(&self, operation: &'static str, call: &Call) -> Answer {
        match operation {
            "events" => self.take(call).unwrap_or_else(|refusal| refusal),
            _ => said(StatusCode::NOT_FOUND, ""),
        }
    }

    fn failure(&self, code: &str, retry_after: Option<Duration>) -> Answer {
        let status = StatusCode::from_bytes(code.as_bytes());
        let answer = said(status.unwrap_or(StatusCode::BAD_GATEWAY), "As planned.");
        match retry_after {
            Some(wait) => answer.with(header::RETRY_AFTER, &wait.as_secs().to_string()),
            None => answer,
        }
    }
}

fn said(status: StatusCode, text: &'static str) -> Answer {
    Answer::new(status, "text/plain; charset=utf-8", text)
}
