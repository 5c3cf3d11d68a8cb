//! What admins do, each act in a transaction of its own with its row in the audit. The API and the pages
//! both call these: they differ in how an act is asked for and answered, never in what it is.

pub(crate) mod account;
pub(crate) mod admins;
pub(crate) mod config;
pub(crate) mod customers;
pub(crate) mod mitras;
pub(crate) mod payments;
pub(crate) mod reports;
pub(crate) mod sessions;
pub(crate) mod sweeps;

use std::fmt::Display;

/// How the audit names a thing: `mitra:<id>`.
pub(crate) fn subject(kind: &str, id: impl Display) -> String {
    format!("{kind}:{id}")
}
