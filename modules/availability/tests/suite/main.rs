//! Availability, through the real server on a real Postgres and a real Valkey, and over the twin.

mod beacon;
mod faults;
mod heartbeats;
mod mirrors;
mod reads;
mod reseeding;
mod status;
mod support;
mod sweeps;
