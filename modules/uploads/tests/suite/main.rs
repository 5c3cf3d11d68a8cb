//! The suite of uploads, through real servers over real Postgres, Valkey and a folder of each test's own.
#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that runs into it"
)]

mod reading;
mod sending;
mod sweeping;
mod uploading;
mod world;
