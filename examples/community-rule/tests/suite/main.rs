//! The whole server, on real Postgres and Valkey.

#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

mod browsing;
mod closing;
mod conflicts;
mod description;
mod drafts;
mod off;
mod pictures;
mod publishing;
mod signing_in;
mod world;
