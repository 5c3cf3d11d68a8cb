//! The service through its real server, on real Postgres and Valkey, against feeds and an Aptabase on this
//! machine.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

#[path = "../feed/mod.rs"]
mod feed;

mod closing;
mod documents;
mod forecasts;
mod outages;
mod process;
mod roles;
mod routes;
mod tours;
mod world;
