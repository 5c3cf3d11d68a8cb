//! The suite of pairing and chat, through real servers over real Postgres and Valkey.

mod delivery;
mod messages;
mod offers;
mod packages;
mod races;
mod requests;
mod sessions;
mod sockets;
mod story;
mod timers;
mod world;
