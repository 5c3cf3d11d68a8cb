//! Why a server did not start, seed, or stop as it should.

use std::net::SocketAddr;
use std::time::Duration;

use crate::assemble::AssembleError;
use crate::migrate::MigrateError;
use crate::problem::BoxError;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A URL of the configuration cannot be used.
    #[error("cannot set up a connection")]
    Connect(#[source] BoxError),
    /// Postgres does not answer, or its schema is not current.
    #[error(transparent)]
    Schema(#[from] MigrateError),
    /// The modules do not make a server.
    #[error("cannot assemble the modules")]
    Assemble(#[from] AssembleError),
    /// A step before binding failed.
    #[error("cannot {step}")]
    Step {
        /// Which.
        step: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// A listener cannot be bound.
    #[error("cannot listen on {address}: choose another with {variable}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// What sets it.
        variable: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The route tables cannot be served.
    #[error("cannot build the routes")]
    Routes(#[source] BoxError),
}

/// Why seeding stopped.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {seed}")]
pub struct SeedError {
    /// Which seed.
    pub seed: &'static str,
    /// Why.
    #[source]
    pub source: BoxError,
}

/// Why the server stopped other than well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A task that it cannot live without died.
    #[error("a vital task died; see the log")]
    TaskDied,
    /// Work was left at the shutdown timeout.
    #[error("work was left over at the shutdown timeout of {} s", .0.as_secs())]
    Overtime(Duration),
}
