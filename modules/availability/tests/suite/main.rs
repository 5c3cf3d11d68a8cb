//! Availability, through the real server on a real Postgres and a real Valkey, and over the twin.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that runs into it"
)]

mod beacon;
mod faults;
mod free;
mod heartbeats;
mod keys;
mod load;
mod metrics;
mod mirrors;
mod outages;
mod reads;
mod replicas;
mod reseeding;
mod standing;
mod status;
mod support;
mod sweeps;
