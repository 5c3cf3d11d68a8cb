//! The module through the real server, with a mail server of the test's own.

#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

mod closing;
mod doctor;
mod letters;
mod limits;
mod open;
mod request;
mod server;
mod smtp;
mod unsent;
mod verify;
