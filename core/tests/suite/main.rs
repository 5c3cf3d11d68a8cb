//! Core's suite: what can be seen of it from outside, without a module. Valkey, Postgres and
//! connections are real.

mod http;
mod jobs;
mod sweeps;
mod valkey_bus;
