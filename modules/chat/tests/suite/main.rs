//! The suite of pairing and chat, through real servers over real Postgres and Valkey.
#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that runs into it"
)]

mod delivery;
mod fuzz;
mod groups;
mod lasting;
mod messages;
mod offers;
mod packages;
mod races;
mod requests;
mod sessions;
mod sockets;
mod story;
mod timers;
mod withdrawals;
mod world;
