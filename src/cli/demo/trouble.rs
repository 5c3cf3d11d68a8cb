//! A step that went wrong, told so that the reader can act on it.

use std::error::Error;
use std::fmt;

/// What to do when the server itself breaks a promise.
pub(crate) const SERVER_AT_FAULT: &str =
    "this is the server's fault, not your set-up's: look into its log at this moment";

/// What was expected, what came instead, and what to do about it.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) expected: String,
    pub(crate) came: String,
    pub(crate) advice: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "expected {}, got {}; {}",
            self.expected, self.came, self.advice
        )
    }
}

impl Error for Trouble {}

/// A [`Trouble`] as an error.
pub(crate) fn wrong(
    expected: impl Into<String>,
    came: impl Into<String>,
    advice: impl Into<String>,
) -> anyhow::Error {
    let (expected, came, advice) = (expected.into(), came.into(), advice.into());
    anyhow::Error::new(Trouble {
        expected,
        came,
        advice,
    })
}
