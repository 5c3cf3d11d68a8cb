//! What every call to Xendit must have, and where it goes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use halobestie_core::clock::Clock;
use halobestie_core::entropy::Entropy;
use halobestie_core::timestamp::Timestamp;
use http::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::Notify;

use super::Account;
use super::bodies::{error, invalid, misshapen};
use super::book::{Book, Till};
use super::courier::Courier;
use super::rate::asking_to_wait;
use crate::upstream::{Answer, Call, Field, Names, Upstream, conform};

pub(super) type Outcome = Result<Answer, Answer>;

/// The upstream.
pub(crate) struct Api {
    pub(super) account: Account,
    /// The origin of the pages, where invoices are paid.
    pub(super) pages: String,
    pub(super) courier: Courier,
    pub(super) clock: Clock,
    entropy: Entropy,
    book: Mutex<Book>,
    /// Told when an invoice came: one may expire sooner than those that are waited for.
    changed: Notify,
}

impl Api {
    pub(crate) fn new(
        account: Account,
        pages: String,
        courier: Courier,
        (clock, entropy): (Clock, Entropy),
        keep: usize,
    ) -> Self {
        let book = Book::new(keep, account.calls_per_minute());
        Self {
            account,
            pages,
            courier,
            clock,
            entropy,
            book: Mutex::new(book),
            changed: Notify::new(),
        }
    }

    /// Reads or changes the book as it is now.
    pub(super) fn with_book<T>(&self, then: impl FnOnce(&mut Book, Timestamp) -> T) -> T {
        let outcome = self.locked(then);
        self.changed.notify_one();
        outcome
    }

    /// Hands what happened to the courier before anybody else can see the book.
    fn locked<T>(&self, then: impl FnOnce(&mut Book, Timestamp) -> T) -> T {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        book.expire_due(now);
        let outcome = then(&mut book, now);
        for event in std::mem::take(&mut book.events) {
            self.courier.take(event);
        }
        outcome
    }

    /// Expires invoices when their time comes, for as long as it is polled.
    pub(super) async fn watch_expiries(&self) {
        loop {
            let next = self.locked(|book, _| book.next_expiry());
            let due = async {
                match next {
                    Some(at) => self.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            // A change during the look above is kept for this wait.
            tokio::select! {
                () = self.changed.notified() => {}
                () = due => {}
            }
        }
    }

    /// The body of a POST of JSON.
    pub(super) fn json(&self, call: &Call, fields: &'static [Field]) -> Result<Value, Answer> {
        if !call.is("application/json") {
            return Err(invalid(&serde_json::json!([
                "the content type must be application/json"
            ])));
        }
        let body = call.json();
        let body = body.map_err(|error| invalid(&serde_json::json!([error.to_string()])))?;
        let (body, violations) = conform(&body, fields, Names::Exact);
        if violations.is_empty() {
            Ok(body)
        } else {
            Err(misshapen(&violations))
        }
    }

    pub(super) fn till(&self) -> Till {
        Till {
            id: self.uuid(),
            request_id: self.uuid(),
            now: self.clock.now(),
        }
    }

    pub(super) fn uuid(&self) -> String {
        self.entropy.uuid(&self.clock).to_string()
    }

    pub(super) fn hex24(&self) -> String {
        let bytes: [u8; 12] = self.entropy.bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Basic authorization: the secret key as the user, and an empty password.
    fn is_authorized(&self, call: &Call) -> bool {
        let credentials = call
            .header("authorization")
            .and_then(|it| it.strip_prefix("Basic "))
            .and_then(|it| STANDARD.decode(it).ok());
        credentials.is_some_and(|it| it == format!("{}:", self.account.secret_key).as_bytes())
    }
}

impl Upstream for Api {
    fn operation(&self, call: &Call) -> &'static str {
        let get = call.method == Method::GET;
        let post = call.method == Method::POST;
        match call.segments().as_slice() {
            ["v2", "invoices"] | ["v2", "invoices", ""] if post => "invoices.create",
            ["v2", "invoices"] | ["v2", "invoices", ""] if get => "invoices.list",
            ["v2", "invoices", id] if get && !id.is_empty() => "invoices.get",
            ["invoices", _, "expire!" | "expire%21"] if post => "invoices.expire",
            ["refunds"] if post => "refunds.create",
            ["refunds"] if get => "refunds.list",
            ["refunds", id] if get && !id.is_empty() => "refunds.get",
            ["refunds", _, "cancel"] if post => "refunds.cancel",
            _ => "unknown",
        }
    }

    async fn answer(&self, operation: &'static str, call: &Call) -> Answer {
        if !self.is_authorized(call) {
            return error("INVALID_API_KEY");
        }
        let standing = self.with_book(|book, now| book.rate.take(operation, now));
        if !standing.allowed {
            return standing.on(error("RATE_LIMIT_EXCEEDED"));
        }
        let outcome = match operation {
            "invoices.create" => self.create_invoice(call),
            "invoices.list" => self.list_invoices(call),
            "invoices.get" => self.get_invoice(call),
            "invoices.expire" => self.expire_invoice(call),
            "refunds.create" => self.create_refund(call),
            "refunds.list" => self.list_refunds(call),
            "refunds.get" => self.get_refund(call),
            "refunds.cancel" => self.cancel_refund(call),
            _ => Err(not_found()),
        };
        standing.on(outcome.unwrap_or_else(|refusal| refusal))
    }

    fn failure(&self, code: &str, retry_after: Option<Duration>) -> Answer {
        match retry_after {
            Some(wait) => asking_to_wait(error(code), wait),
            None => error(code),
        }
    }
}

fn not_found() -> Answer {
    let body = serde_json::json!({
        "error_code": "NOT_FOUND",
        "message": "The requested resource was not found",
    });
    Answer::json(StatusCode::NOT_FOUND, &body)
}
