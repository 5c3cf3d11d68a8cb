//! The endpoints, a file a family: parse, decide, store, reply.

pub(crate) mod extensions;
pub(crate) mod messages;
pub(crate) mod offers;
pub(crate) mod packages;
pub(crate) mod requests;
pub(crate) mod sessions;
pub(crate) mod socket;
