//! What the sandbox promises: every refusal, every knob, through real HTTP.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

mod aptabase;
mod client;
mod fazpass;
mod google;
mod knobs;
mod pages;
mod program;
mod receiver;
mod xendit;
