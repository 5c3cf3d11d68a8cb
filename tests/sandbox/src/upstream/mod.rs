//! What all upstreams have in common: a port, calls that come in and are recorded, answers.
//!
//! An upstream itself is a function from a call to an answer that waits for nothing: everything that may
//! go wrong on the wire is the knobs' business and happens around it.

mod answer;
mod call;
mod exchange;
mod port;
mod service;
mod shape;
mod standalone;

pub use answer::Answer;
pub use call::{Call, RecordedCall};
pub use standalone::Standalone;

pub(crate) use port::Port;
pub(crate) use service::{Front, TrackedExecutor, taken};
pub(crate) use shape::{Field, Kind, Names, Trouble, Violation, conform};

use std::time::Duration;

/// An upstream behind its port.
pub trait Upstream: Send + Sync + 'static {
    /// The name of what a call asks for: knobs and records speak of it.
    fn operation(&self, call: &Call) -> &'static str;

    /// Does what the call asks for.
    fn answer(&self, operation: &'static str, call: &Call) -> impl Future<Output = Answer> + Send;

    /// The error of this code, in the upstream's words.
    fn failure(&self, code: &str, retry_after: Option<Duration>) -> Answer;

    /// Whether a call of this operation can end with this code: the others are not struck by it.
    fn can_end(_operation: &str, _code: &str) -> bool
    where
        Self: Sized,
    {
        true
    }
}
