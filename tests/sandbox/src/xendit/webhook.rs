//! Webhooks as they are remembered, and what is sent of them.

use std::fmt;

use halobestie_core::timestamp::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::ring::Kept;

/// Attempts that are remembered of one webhook.
pub(super) const ATTEMPTS_KEPT: usize = 50;

/// Something that was told, or is to be.
#[derive(Clone, Debug, Serialize)]
pub struct Webhook {
    /// The `webhook-id` that goes with it, the same at every attempt.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// The invoice or refund that it is about.
    pub about: String,
    /// For a person: `invoice PAID`.
    pub what: String,
    /// What is sent.
    pub body: Value,
    /// How it stands.
    pub state: State,
    /// What came of each attempt, in order.
    pub attempts: Vec<Attempt>,
    /// How often it was tried by itself: of the timetable.
    #[serde(skip)]
    pub(super) tries: usize,
}

impl Kept for Webhook {
    fn id(&self) -> &str {
        &self.id
    }
}

/// How a webhook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Kept back by hand.
    Held,
    /// To be sent, or sent again.
    Waiting,
    /// Answered with 2xx.
    Delivered,
    /// Not to be tried again by itself.
    GivenUp,
}

/// A try to deliver a webhook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
}

/// What comes of posting something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// This status.
    Answered(u16),
    /// No answer in time; not tried again by itself, as the vendor's help says.
    TimedOut,
    /// No connection, or it broke.
    Unreachable,
    /// Nobody said where to; not tried again by itself.
    UrlNotSet,
}

impl Outcome {
    /// Whether the receiver has it.
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Answered(200..=299))
    }

    /// Whether it is tried again.
    pub(super) const fn is_retried(&self) -> bool {
        match self {
            Self::Answered(status) => *status < 200 || *status > 299,
            Self::Unreachable => true,
            Self::TimedOut | Self::UrlNotSet => false,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(status) => write!(out, "answered {status}"),
            Self::TimedOut => out.write_str("timed out"),
            Self::Unreachable => out.write_str("unreachable"),
            Self::UrlNotSet => out.write_str("no URL is set"),
        }
    }
}

/// A POST to the webhook's URL that is wrong on purpose, or by somebody else.
///
/// ```
/// use halobestie_sandbox::xendit::Forged;
///
/// let wrong_token = Forged::json(&serde_json::json!({ "id": "…" })).token("guessed");
/// let no_header_at_all = Forged::text("PAID!").without_token().without_id();
/// ```
#[derive(Clone, Debug)]
pub struct Forged {
    pub(super) token: Token,
    pub(super) id: Option<String>,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(super) enum Token {
    Ours,
    None,
    This(String),
}

impl Forged {
    /// A JSON body with the right token and an id that is made for it.
    pub fn json(body: &Value) -> Self {
        Self::bytes(body.to_string())
    }

    /// Any text for a body; it says that it is JSON.
    pub fn text(body: &str) -> Self {
        Self::bytes(body)
    }

    /// Any bytes for a body; they say that they are JSON.
    pub fn bytes(body: impl Into<Vec<u8>>) -> Self {
        Self {
            token: Token::Ours,
            id: Some(String::new()),
            content_type: "application/json".to_owned(),
            body: body.into(),
        }
    }

    /// With this `x-callback-token`.
    pub fn token(mut self, token: &str) -> Self {
        self.token = Token::This(token.to_owned());
        self
    }

    /// Without `x-callback-token`.
    pub fn without_token(mut self) -> Self {
        self.token = Token::None;
        self
    }

    /// With this `webhook-id`.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Without `webhook-id`.
    pub fn without_id(mut self) -> Self {
        self.id = None;
        self
    }

    /// With this content type.
    pub fn content_type(mut self, content_type: &str) -> Self {
        content_type.clone_into(&mut self.content_type);
        self
    }
}
