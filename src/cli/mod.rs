//! The command line: the commands that every binary on this core has, and our own, a file each.

mod admin;
mod demo;
mod dev;
mod ledger;

use clap::{Parser, Subcommand};
use halobestie_core::cli::{self, Failure, output};
use halobestie_core::config::{Config, Sources};

use crate::BINARY;

/// A modular server for paid companion chat.
///
/// Start with `halobestie dev` on your own machine; `serve`, `migrate` and `seed` run it for real.
#[derive(Debug, Parser)]
#[command(
    name = "halobestie",
    version = crate::VERSION,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Server(cli::Command),
    Admin(admin::AdminArgs),
    Ledger(ledger::LedgerArgs),
    Dev(dev::DevArgs),
    Demo(demo::DemoArgs),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What went wrong, in words for the person at the terminal.
    pub async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Server(command) => command.run(&BINARY).await,
            Command::Admin(args) => admin::run(args).await,
            Command::Ledger(args) => ledger::run(args).await,
            Command::Dev(args) => Ok(dev::run(args).await?),
            Command::Demo(args) => Ok(demo::run(args).await?),
        }
    }
}

/// This process's configuration.
fn load_config() -> Result<Config, Failure> {
    Ok(crate::load_config(&Sources::of_process())?)
}
