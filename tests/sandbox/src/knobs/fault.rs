//! What may happen to calls, as data: planned in Rust or sent as JSON.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happens to one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The upstream does nothing and answers this error, as it would by itself. The codes are those
    /// that the upstream publishes: see `CODES` of each.
    Error {
        /// The code.
        code: String,
        /// How long it asks the caller to wait, in the header that this upstream uses for it.
        #[serde(default)]
        retry_after_seconds: Option<f64>,
    },
    /// The upstream does the work, and the connection is cut before the answer.
    Lost,
    /// The connection is cut, and nothing was done.
    Cut,
    /// The upstream does the work at once and answers this much later.
    Slow {
        /// How much later.
        ms: u64,
    },
    /// Something between us and the upstream answers, and nothing was done: a proxy's error page.
    Raw {
        /// The HTTP status.
        status: u16,
        /// The content type.
        content_type: String,
        /// The body.
        body: String,
    },
}

impl Fault {
    /// An error by its code.
    pub fn error(code: &str) -> Self {
        Self::Error {
            code: code.to_owned(),
            retry_after_seconds: None,
        }
    }

    /// An error by its code that asks the caller to wait.
    pub fn error_for(code: &str, wait: Duration) -> Self {
        Self::Error {
            code: code.to_owned(),
            retry_after_seconds: Some(wait.as_secs_f64()),
        }
    }

    /// What a proxy in front of the upstream says when it cannot reach it: not JSON.
    pub fn bad_gateway() -> Self {
        Self::Raw {
            status: 502,
            content_type: "text/html".to_owned(),
            body: "<html><body><h1>502 Bad Gateway</h1></body></html>".to_owned(),
        }
    }
}

/// A fault that strikes the next calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// The only operation that it strikes, by the name that recorded calls carry; none: all.
    #[serde(default)]
    pub operation: Option<String>,
    /// How many calls it strikes.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens to them.
    pub fault: Fault,
}

const fn once() -> u32 {
    1
}

/// The state of an upstream's knobs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// The upstream does the work at once, and every answer waits this long.
    pub delay_ms: u64,
    /// From an answer's head to the end of its body.
    pub slow_body_ms: u64,
    /// The port is closed: connections are refused.
    pub down: bool,
    /// What strikes the next calls, first come first served.
    pub planned: VecDeque<Planned>,
}
