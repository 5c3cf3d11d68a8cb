//! The command line: one file a command.

mod admin;
mod config;
mod demo;
mod dev;
mod doctor;
mod healthcheck;
mod ledger;
mod migrate;
mod modules;
mod openapi;
mod output;
mod seed;
mod serve;

use std::fmt;

use clap::{Parser, Subcommand};
use halobestie_core::config::{Config, ConfigErrors, Sources};

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
    Serve(serve::ServeArgs),
    Worker(serve::WorkerArgs),
    Migrate(migrate::MigrateArgs),
    Seed(seed::SeedArgs),
    Admin(admin::AdminArgs),
    Ledger(ledger::LedgerArgs),
    Dev(dev::DevArgs),
    Demo(demo::DemoArgs),
    Config(config::ConfigArgs),
    Modules(modules::ModulesArgs),
    Openapi(openapi::OpenapiArgs),
    Healthcheck(healthcheck::HealthcheckArgs),
    Doctor(doctor::DoctorArgs),
}

/// Why a command did not do what it should.
pub enum Failure {
    /// The configuration is wrong: a line each.
    Config(ConfigErrors),
    /// Anything else, with its causes.
    Other(anyhow::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(errors) => errors.fmt(out),
            Self::Other(error) => {
                write!(out, "error: {error}")?;
                let causes = error.chain().skip(1);
                causes
                    .into_iter()
                    .try_for_each(|cause| write!(out, "\n  because: {cause}"))
            }
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast::<ConfigErrors>() {
            Ok(errors) => Self::Config(errors),
            Err(error) => Self::Other(error),
        }
    }
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What went wrong, in words for the person at the terminal.
    pub async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Worker(args) => serve::run_worker(args).await,
            Command::Migrate(args) => migrate::run(args).await,
            Command::Seed(args) => seed::run(args).await,
            Command::Admin(args) => admin::run(args).await,
            Command::Ledger(args) => ledger::run(args).await,
            Command::Dev(args) => Ok(dev::run(args).await?),
            Command::Demo(args) => Ok(demo::run(args).await?),
            Command::Config(args) => config::run(args),
            Command::Modules(args) => modules::run(args),
            Command::Openapi(args) => openapi::run(args),
            Command::Healthcheck(args) => healthcheck::run(args).await,
            Command::Doctor(args) => doctor::run(args).await,
        }
    }
}

/// This process's configuration.
fn load_config() -> Result<Config, Failure> {
    Ok(crate::load_config(&Sources::of_process())?)
}
