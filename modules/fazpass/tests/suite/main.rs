//! The module through the real server, on real Postgres and Valkey, against the sandbox's Fazpass.

#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

mod bypass;
mod doctor;
mod outages;
mod refusals;
mod sending;
mod server;
mod start;
