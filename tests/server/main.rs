//! The whole server: what only the assembled binary can show. The modules' own behaviour is tested in
//! their suites.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that runs into it"
)]

mod accept_race;
mod admin;
mod assembly;
mod browsers;
mod command_line;
mod deactivation;
mod doctor;
mod documents;
mod heartbeats;
mod journeys;
mod ledger;
mod lifecycle;
mod migrations;
mod mirror;
mod outages;
mod playground;
mod process;
mod pushes;
mod soak;
