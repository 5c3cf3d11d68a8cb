//! The endpoints: parse, decide, store, reply.

pub(crate) mod admin;
pub(crate) mod cookie;
pub(crate) mod me;
pub(crate) mod otp;
pub(crate) mod refresh;
pub(crate) mod sessions;
