//! The `aspectavy` command: `aspectavy --help` lists what it can do.

use std::process::ExitCode;

use halobestie_core::cli;

fn main() -> ExitCode {
    cli::main(&aspectavy::BINARY)
}
