//! The modular core of halobestie: a minimal hyper/tower server that loads modules.
//!
//! Core owns what every module needs (listeners, routing, configuration, Postgres, Valkey, the bus,
//! sweeps, the life of the process) and the small traits at which modules meet. It names no module.

pub mod about;
pub mod after_commit;
pub mod app;
pub mod assemble;
pub mod audit;
pub mod bus;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod entropy;
pub mod flights;
pub mod grouped;
pub mod housekeeping;
pub mod http;
pub mod idempotency;
pub mod jobs;
pub mod language;
pub mod lifecycle;
pub mod metrics;
pub mod migrate;
pub mod module;
mod nul;
pub mod openapi;
pub mod outbound;
pub mod pg;
pub mod ports;
pub mod problem;
mod quiet;
pub mod readiness;
pub mod replicas;
pub mod settings;
pub mod sweep;
pub mod telemetry;
pub mod timestamp;
pub mod valkey;

pub use after_commit::AfterCommit;
pub use module::{Context, Contribution, Entry, Module};
pub use problem::{BoxError, Coded, ErrorCode, Problem};
pub use timestamp::Timestamp;
