//! A call that came in, whole, and what is remembered of it.

use bytes::Bytes;
use halobestie_core::clock::Clock;
use halobestie_core::timestamp::Timestamp;
use http::{HeaderMap, Method, Version, header};
use serde::Serialize;
use serde_json::Value;

use crate::ring::Kept;

/// Bytes of a body at most that a record keeps.
const RECORDED_BODY_BYTES_MAX: usize = 8 * 1024;

/// A request, read to its end.
#[derive(Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path, as sent.
    pub path: String,
    /// The query, as sent, without its question mark.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// HTTP's version.
    pub version: Version,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// A header's text; none where it is missing, doubled or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// The secret of a `Bearer` authorization.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// Whether the body says that it is of this media type. A charset may be said, if it is UTF-8.
    pub fn is(&self, media_type: &str) -> bool {
        let Some(content_type) = self.header(header::CONTENT_TYPE.as_str()) else {
            return false;
        };
        let mut parts = content_type.split(';').map(str::trim);
        parts
            .next()
            .is_some_and(|it| it.eq_ignore_ascii_case(media_type))
            && parts.all(|it| it.is_empty() || it.eq_ignore_ascii_case("charset=utf-8"))
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// The query's pairs in their order.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        serde_urlencoded::from_str(&self.query).unwrap_or_default()
    }

    /// The path's segments, without the first slash.
    pub fn segments(&self) -> Vec<&str> {
        self.path.trim_start_matches('/').split('/').collect()
    }
}

/// A call as the upstream saw it.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedCall {
    /// Its number among all calls of this upstream, from 1.
    pub number: u64,
    /// When it came, by the sandbox's clock.
    pub at: Timestamp,
    /// What it asked for, as knobs name it.
    pub operation: &'static str,
    /// The method.
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// The query, as sent, without its question mark.
    pub query: String,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub version: String,
    /// The body, cut to 8 KiB.
    pub body: String,
    /// What was answered. None: nothing yet, or the answer was cut off.
    pub status: Option<u16>,
    #[serde(skip)]
    id: String,
}

impl RecordedCall {
    pub(super) fn of(call: &Call, number: u64, operation: &'static str, clock: &Clock) -> Self {
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let kept = &call.body[..call.body.len().min(RECORDED_BODY_BYTES_MAX)];
        Self {
            number,
            at: clock.now(),
            operation,
            method: call.method.to_string(),
            path: call.path.clone(),
            query: call.query.clone(),
            headers: call
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            version: format!("{:?}", call.version),
            body: String::from_utf8_lossy(kept).into_owned(),
            status: None,
            id: number.to_string(),
        }
    }

    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(it, _)| it == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Kept for RecordedCall {
    fn id(&self) -> &str {
        &self.id
    }
}
