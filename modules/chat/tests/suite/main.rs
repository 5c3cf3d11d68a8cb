//! The suite of pairing and chat, through real servers over real Postgres and Valkey.
#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that runs into it"
)]

mod blocks;
mod delivery;
mod messages;
mod offers;
mod packages;
mod people;
mod races;
mod ratings;
mod requests;
mod retention;
mod sessions;
mod sockets;
mod story;
mod timers;
mod waves;
mod withdrawals;
mod world;
