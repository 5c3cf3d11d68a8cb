//! Why a knob does not turn.

use std::fmt;

use super::PLANNED_MAX;

/// Why a knob cannot be turned so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnobError {
    /// The upstream has no such code; the codes that it has.
    UnknownCode(&'static [&'static str]),
    /// Too many faults are planned already.
    TooMany,
    /// Not a status of a final answer, or not a content type.
    Unsendable,
}

impl fmt::Display for KnobError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCode(codes) => write!(out, "unknown code; there are {}", codes.join(", ")),
            Self::TooMany => write!(out, "more than {PLANNED_MAX} planned faults"),
            Self::Unsendable => out.write_str("not a final status, or not a content type"),
        }
    }
}

impl std::error::Error for KnobError {}
