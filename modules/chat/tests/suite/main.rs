//! The suite of pairing and chat, through real servers over real Postgres and Valkey.
#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that runs into it"
)]

mod audit;
mod delivery;
mod extensions;
mod histories;
mod many_ends;
mod messages;
mod offers;
mod packages;
mod payments;
mod races;
mod requests;
mod reroutes;
mod sessions;
mod sockets;
mod story;
mod till;
mod timers;
mod upgrades;
mod withdrawals;
mod world;
