//! The `halobestie` command. Reads its arguments, runs one command, maps its outcome to an exit code:
//! 0 fine, 1 failed, 2 usage or configuration.

use std::process::ExitCode;

use clap::Parser;
use halobestie::cli::{Cli, Failure};

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            match failure {
                Failure::Config(_) => ExitCode::from(2),
                Failure::Other(_) => ExitCode::FAILURE,
            }
        }
    }
}
