//! The endpoints.

pub(crate) mod forget;
pub(crate) mod register;
