//! Errors as the client sees them: a stable code, problem+json (RFC 9457), nothing of our insides.
//!
//! Every failure of every layer becomes a [`Problem`]. It carries two things apart: what the client is
//! told (code, detail, members) and the cause, which goes to the log alone. A problem travels as an
//! empty response with the problem in its extensions; `http::layers::render` writes the body, adds the
//! request id and logs the cause, once.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

/// Any error that keeps its cause.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// A stable error code: what `docs/errors.md` lists and clients may switch on.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// The name on the wire, snake_case, never changed once published.
    pub name: &'static str,
    /// The HTTP status that goes with it.
    pub status: u16,
    /// A short title for people, the same for every occurrence.
    pub title: &'static str,
    /// What happened: the default `detail`.
    pub meaning: &'static str,
    /// What a client should do about it.
    pub client: &'static str,
}

/// The codes that core itself gives out. Modules declare their own beside their errors.
pub mod codes {
    use super::ErrorCode;

    macro_rules! codes {
        ($($(#[$doc:meta])* $ident:ident = $name:literal, $status:literal, $title:literal, $meaning:literal, $client:literal;)*) => {
            $($(#[$doc])* pub static $ident: ErrorCode = ErrorCode {
                name: $name, status: $status, title: $title, meaning: $meaning, client: $client,
            };)*
            /// Every code of core, for the catalogue.
            pub static ALL: &[&ErrorCode] = &[$(&$ident),*];
        };
    }

    codes! {
        /// The head is not HTTP.
        MALFORMED_REQUEST = "malformed_request", 400, "Malformed request",
            "The request could not be read as HTTP.", "Fix the request; do not retry it unchanged.";
        /// The address is longer than any of ours.
        URI_TOO_LONG = "uri_too_long", 414, "Address too long",
            "The request's address is too long.", "Send less in the address.";
        /// The head is over the server's limit.
        HEADERS_TOO_LARGE = "headers_too_large", 431, "Headers too large",
            "The request's headers are too large.", "Send fewer or smaller headers.";
        /// The body is not JSON.
        MALFORMED_JSON = "malformed_json", 400, "Malformed JSON",
            "The request body is not valid JSON.", "Fix the request; do not retry it unchanged.";
        /// A WebSocket route was called without a WebSocket handshake.
        UPGRADE_REQUIRED = "upgrade_required", 426, "WebSocket required",
            "This address speaks WebSocket only.", "Open it as a WebSocket with subprotocol halobestie.v1.";
        /// A WebSocket handshake that is incomplete or offers nothing that we speak.
        BAD_HANDSHAKE = "bad_handshake", 400, "Bad WebSocket handshake",
            "The WebSocket handshake is incomplete or offers none of our subprotocols.", "Offer the subprotocol halobestie.v1.";
        /// No or no acceptable token.
        UNAUTHENTICATED = "unauthenticated", 401, "Not signed in",
            "A valid access token is required.", "Sign in again, or refresh when a refresh token is at hand.";
        /// The access token is past its `exp`.
        TOKEN_EXPIRED = "token_expired", 401, "Token expired",
            "The access token has expired.", "Refresh the token and repeat the request.";
        /// The role may not do this.
        FORBIDDEN = "forbidden", 403, "Forbidden",
            "Your role may not do this.", "Do not offer this action to this user.";
        /// A browser's request that no page of ours sent.
        CROSS_SITE = "cross_site", 403, "From another site",
            "A page of another site, or none, sent this; only our own pages may.", "Do it on a page of ours; programs use bearer tokens.";
        /// No such thing, or somebody else's.
        NOT_FOUND = "not_found", 404, "Not found",
            "There is nothing here for you.", "Check the address and the id.";
        /// The path exists, not with this method.
        METHOD_NOT_ALLOWED = "method_not_allowed", 405, "Method not allowed",
            "This address does not take that method.", "Use one of the methods in the Allow header.";
        /// The request took longer than the server lets it.
        REQUEST_TIMEOUT = "request_timeout", 503, "Request timed out",
            "The request was given up at its deadline.", "Retry after the time in Retry-After, with the same idempotency key or client_message_id.";
        /// The idempotency key was used with another body.
        IDEMPOTENCY_CONFLICT = "idempotency_conflict", 409, "Idempotency key reused",
            "This Idempotency-Key was used before with another body.", "Use a fresh key for a new request.";
        /// The body is over the route's limit.
        BODY_TOO_LARGE = "body_too_large", 413, "Body too large",
            "The request body is over this route's limit.", "Send less.";
        /// Not JSON by its content type.
        UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "Unsupported media type",
            "This route takes application/json.", "Send Content-Type: application/json.";
        /// Well-formed, but wrong.
        VALIDATION_FAILED = "validation_failed", 422, "Validation failed",
            "Some fields are missing or wrong.", "Show the messages in `errors` beside their fields.";
        /// Too many.
        RATE_LIMITED = "rate_limited", 429, "Too many requests",
            "Too many requests.", "Wait for the time in Retry-After.";
        /// A bug on our side.
        INTERNAL = "internal", 500, "Internal error",
            "Something went wrong on our side.", "Retry once; then report the request_id.";
        /// Postgres, or something else this needs, does not answer.
        DEPENDENCY_UNAVAILABLE = "dependency_unavailable", 503, "Dependency unavailable",
            "Something this request needs does not answer.", "Retry after the time in Retry-After.";
        /// More requests than the server takes at once.
        OVERLOADED = "overloaded", 503, "Overloaded",
            "The server has more requests than it takes at once.", "Retry after the time in Retry-After, with jitter.";
    }
}

/// An error that knows its code: what every module's error enum implements.
pub trait Coded: Error + Send + Sync + 'static {
    /// The stable code.
    fn code(&self) -> &'static ErrorCode;
    /// What to tell the client beyond the code's own meaning. Never a cause.
    fn detail(&self) -> Option<String> {
        None
    }
    /// When to come back, for 429 and 503.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
    /// Further members of the body, such as `attempts_left`.
    fn members(&self) -> Map<String, Value> {
        Map::new()
    }
}

/// One field that failed validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field's path in the body, such as `phone` or `sessions.0.after_seq`.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A failure on its way to the client.
#[derive(Debug)]
pub struct Problem {
    code: &'static ErrorCode,
    detail: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    retry_after: Option<Duration>,
    allow: Option<String>,
    source: Option<BoxError>,
}

/// What a 503 without a better idea asks for.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);

impl Problem {
    /// A problem that says no more than its code.
    pub fn new(code: &'static ErrorCode) -> Self {
        Self {
            code,
            detail: None,
            errors: Vec::new(),
            members: Map::new(),
            retry_after: None,
            allow: None,
            source: None,
        }
    }

    /// Says more to the client than the code's own meaning.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds a member to the body.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to come back.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<BoxError>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// The methods that a 405 names.
    #[must_use]
    pub fn allow(mut self, methods: String) -> Self {
        self.allow = Some(methods);
        self
    }

    /// `validation_failed` on one field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid_fields(vec![FieldError {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// `validation_failed` on several fields at once.
    pub fn invalid_fields(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(&codes::VALIDATION_FAILED)
        }
    }

    /// `not_found`: no such thing, or somebody else's.
    pub fn not_found() -> Self {
        Self::new(&codes::NOT_FOUND)
    }

    /// A bug of ours: the client learns nothing, the log everything.
    pub fn internal(cause: impl Into<BoxError>) -> Self {
        Self::new(&codes::INTERNAL).because(cause)
    }

    /// The stable code.
    pub fn code(&self) -> &'static ErrorCode {
        self.code
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What the client is told in words.
    pub fn detail_text(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.code.meaning)
    }

    /// The fields that are wrong.
    pub fn field_errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// Seconds for `Retry-After`, rounded up; always present on 429 and 503.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        let wait = match (self.retry_after, self.code.status) {
            (Some(wait), _) => wait,
            (None, 429 | 503) => RETRY_AFTER_DEFAULT,
            (None, _) => return None,
        };
        Some(
            wait.as_millis()
                .div_ceil(1000)
                .max(1)
                .try_into()
                .unwrap_or(u64::MAX),
        )
    }

    /// The value of `Allow`, on a 405.
    pub fn allowed_methods(&self) -> Option<&str> {
        self.allow.as_deref()
    }

    /// The cause, for the log.
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// The problem+json body (RFC 9457 §3).
    pub fn body(&self, request_id: &str) -> Vec<u8> {
        let mut body = self.members.clone();
        body.insert("type".into(), "about:blank".into());
        body.insert("title".into(), self.code.title.into());
        body.insert("status".into(), self.code.status.into());
        body.insert("detail".into(), self.detail_text().into());
        body.insert("code".into(), self.code.name.into());
        body.insert("request_id".into(), request_id.into());
        if !self.errors.is_empty() {
            let errors = self
                .errors
                .iter()
                .map(|error| serde_json::json!({"field": error.field, "message": error.message}));
            body.insert("errors".into(), errors.collect());
        }
        Value::Object(body).to_string().into_bytes()
    }
}

impl<E: Coded> From<E> for Problem {
    fn from(error: E) -> Self {
        Self {
            code: error.code(),
            detail: error.detail().map(Cow::Owned),
            errors: Vec::new(),
            members: error.members(),
            retry_after: error.retry_after(),
            allow: None,
            source: Some(Box::new(error)),
        }
    }
}
