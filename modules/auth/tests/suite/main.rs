//! The module through the real server, on real Postgres and Valkey.

#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

mod access_tokens;
mod account;
mod admin;
mod cleanup;
mod deactivation;
mod forge;
mod otp_attempts;
mod otp_limits;
mod otp_request;
mod otp_verify;
mod people;
mod refresh;
mod refresh_races;
mod revocations;
mod seeds;
mod server;
mod sessions;
