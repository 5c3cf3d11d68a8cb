//! The command line that every binary on this core has: one file a command.
//!
//! A binary with no commands of its own is its list of modules and [`main`]:
//!
//! ```no_run
//! use halobestie_core::Entry;
//! use halobestie_core::cli::{self, Binary};
//!
//! static COMPILED: &[Entry] = &[/* Entry::of::<Tides>() */];
//! const ABOUT: &str = "When the water comes and goes.";
//! static BINARY: Binary = Binary::new("tides", ABOUT, env!("CARGO_PKG_VERSION"), COMPILED);
//!
//! fn main() -> std::process::ExitCode {
//!     cli::main(&BINARY)
//! }
//! ```
//!
//! One that has more flattens [`Command`] into its own enum and hands what is ours to
//! [`Command::run`]. Here, and nowhere else in core, errors are `anyhow`'s: they are read by a person.

mod binary;
mod config;
mod doctor;
mod failure;
mod healthcheck;
mod migrate;
mod modules;
mod openapi;
pub mod output;
mod seed;
mod serve;

use std::future::Future;
use std::num::NonZero;
use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::{FromArgMatches as _, Subcommand};
use tokio::runtime::Builder;

pub use binary::Binary;
pub use failure::{Failure, conclude};

/// Columns of a terminal that help is wrapped at.
const HELP_WIDTH: usize = 100;

/// The commands.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "their arguments' own text is the help, which one here would replace"
)]
pub enum Command {
    Serve(serve::ServeArgs),
    Worker(serve::WorkerArgs),
    Migrate(migrate::MigrateArgs),
    Seed(seed::SeedArgs),
    Config(config::ConfigArgs),
    Modules(modules::ModulesArgs),
    Openapi(openapi::OpenapiArgs),
    Healthcheck(healthcheck::HealthcheckArgs),
    Doctor(doctor::DoctorArgs),
}

impl Command {
    /// Runs the command for this binary.
    ///
    /// # Errors
    /// What went wrong, in words for the person at the terminal.
    pub async fn run(self, binary: &Binary) -> Result<(), Failure> {
        match self {
            Self::Serve(args) => serve::run(binary, args).await,
            Self::Worker(args) => serve::run_worker(binary, args).await,
            Self::Migrate(args) => migrate::run(binary, args).await,
            Self::Seed(args) => seed::run(binary, args).await,
            Self::Config(args) => config::run(binary, args),
            Self::Modules(args) => modules::run(binary, args),
            Self::Openapi(args) => openapi::run(binary, args),
            Self::Healthcheck(args) => healthcheck::run(binary, args).await,
            Self::Doctor(args) => doctor::run(binary, args).await,
        }
    }
}

/// The whole `main` of a binary without commands of its own: reads the arguments, runs one command on
/// tokio's threads, maps its outcome to an exit code.
pub fn main(binary: &Binary) -> ExitCode {
    let command = Command::augment_subcommands(clap::Command::new(binary.name))
        .about(binary.about)
        .version(binary.version)
        .propagate_version(true)
        .max_term_width(HELP_WIDTH)
        .subcommand_required(true)
        .arg_required_else_help(true);
    let command = match Command::from_arg_matches(&command.get_matches()) {
        Ok(command) => command,
        Err(error) => error.exit(),
    };
    run_to_exit(command.run(binary))
}

/// Runs a command to its end on tokio's threads, and maps its outcome to an exit code.
///
/// Where the process may use one core alone, as in many containers, everything stays on this thread: there
/// is nobody to share the work with.
pub fn run_to_exit(work: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let mut builder = match available_parallelism() {
        Ok(NonZero::<usize>::MIN) => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    match builder.enable_all().build() {
        Ok(runtime) => conclude(runtime.block_on(work)),
        Err(error) => conclude(Err(error.into())),
    }
}
