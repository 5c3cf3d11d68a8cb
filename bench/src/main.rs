//! `halobestie-bench`: drives servers side by side and says what they did.
//!
//! One thread, on purpose: what it costs is told beside every figure, and when it has no more to give, the
//! table says so. See `bench/README.md`; `scripts/bench` sets up everything that it is pointed at.

mod alarm;
mod cli;
mod compare;
mod fixture;
mod http_client;
mod http_task;
mod load;
mod metrics;
mod peers;
mod process;
mod recorder;
mod report;
mod results;
mod scenarios;
mod schedule;
mod side;
mod targets;
mod texts;
mod token;
mod ws_client;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match cli::Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
