//! The module through the real server, on real Postgres and Valkey.

#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

mod access_tokens;
mod account;
mod admin;
mod admin_accounts;
mod browser;
mod cleanup;
mod cookie_attacks;
mod cookie_sessions;
mod deactivation;
mod forge;
mod login_throttle;
mod otp_attempts;
mod otp_budget;
mod otp_limits;
mod otp_networks;
mod otp_refusals;
mod otp_request;
mod otp_verify;
mod people;
mod refresh;
mod refresh_races;
mod refresh_schedules;
mod revocations;
mod schedule;
mod seeds;
mod server;
mod sessions;
