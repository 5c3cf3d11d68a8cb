//! The control center through its real listener.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

mod accounts;
mod admins;
mod audit;
mod config;
mod conversations;
mod dashboard;
mod forms;
mod guards;
mod live;
mod looks;
mod meanwhile;
mod money;
mod nul;
mod oversight;
mod pages;
mod server;
mod sessions;
mod stage;
mod sweeps;
