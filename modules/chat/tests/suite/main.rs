//! The suite of pairing and chat, through real servers over real Postgres and Valkey.
#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that runs into it"
)]

mod absences;
mod audit;
mod blocks;
mod delivery;
mod extensions;
mod fuzz;
mod groups;
mod histories;
mod lasting;
mod many_ends;
mod messages;
mod offers;
mod packages;
mod payments;
mod people;
mod races;
mod ratings;
mod requests;
mod reroutes;
mod retention;
mod searches;
mod sessions;
mod sockets;
mod story;
mod till;
mod timers;
mod upgrades;
mod visitors;
mod waves;
mod withdrawals;
mod world;
