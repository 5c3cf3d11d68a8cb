//! The endpoints.

pub(crate) mod associations;
pub(crate) mod version;
