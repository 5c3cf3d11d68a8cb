//! The handlers, a file a family.

pub(crate) mod payments;
pub(crate) mod returns;
pub(crate) mod webhook;
