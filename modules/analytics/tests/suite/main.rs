//! The module through the real server, against the sandbox's Aptabase.

#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

mod outages;
mod sending;
mod start;
mod world;
