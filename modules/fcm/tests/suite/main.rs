//! The module through the real server, on real Postgres and Valkey, against the sandbox's Google.

#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

mod access;
mod codes;
mod crashes;
mod devices;
mod doctor;
mod happenings;
mod live;
mod outages;
mod payments;
mod start;
mod storms;
mod world;
