//! One endpoint a file.

pub(crate) mod open;
pub(crate) mod request;
pub(crate) mod verify;
