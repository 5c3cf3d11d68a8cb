//! Core's own sections: `server`, `database`, `valkey`, `log`.

mod address;
mod database;
mod log;
mod server;
mod valkey;

pub use database::DatabaseConfig;
pub use log::{LogConfig, LogFormat};
pub use server::ServerConfig;
pub use valkey::ValkeyConfig;

use super::SectionSpec;

/// The names of core's sections.
pub(super) const SERVER: &str = "server";
pub(super) const DATABASE: &str = "database";
pub(super) const VALKEY: &str = "valkey";
pub(super) const LOG: &str = "log";

/// Core's sections, in the order in which they are shown.
pub(super) const CORE: [SectionSpec; 4] = [
    SectionSpec::of::<ServerConfig>(SERVER),
    SectionSpec::of::<DatabaseConfig>(DATABASE),
    SectionSpec::of::<ValkeyConfig>(VALKEY),
    SectionSpec::of::<LogConfig>(LOG),
];
