//! The module through the real server, on real Postgres and Valkey, against the sandbox's Xendit.

#![expect(
    clippy::unwrap_used,
    reason = "a broken assumption must fail the test that has it"
)]

mod comparing;
mod crashes;
mod doctor;
mod ledger;
mod money_rules;
mod off;
mod paying;
mod races;
mod refunds;
mod returns;
mod webhooks;
mod world;
