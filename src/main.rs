//! The `halobestie` command. Reads its arguments, runs one command, maps its outcome to an exit code:
//! 0 fine, 1 failed, 2 usage or configuration.

use std::process::ExitCode;

use clap::Parser;
use halobestie::cli::Cli;
use halobestie_core::cli::run_to_exit;

fn main() -> ExitCode {
    run_to_exit(Cli::parse().run())
}
