//! What this process is: for whoever looks at it, never for a decision.

use uuid::Uuid;

use crate::app::{AppOptions, Role};
use crate::config::{Config, Shown};
use crate::timestamp::Timestamp;

/// The version of the server.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A module that is compiled in.
#[derive(Clone, Debug)]
pub struct AboutModule {
    /// Its name.
    pub name: &'static str,
    /// Whether it is switched on.
    pub is_enabled: bool,
    /// What it promises to the others.
    pub provides: Vec<String>,
    /// The kinds of jobs that it does.
    pub jobs: Vec<&'static str>,
}

/// A process.
#[derive(Clone, Debug)]
pub struct About {
    /// Which of all that are alive.
    pub replica_id: Uuid,
    /// What it does.
    pub role: Role,
    /// When it started.
    pub started_at: Timestamp,
    /// What it was built with.
    pub modules: Vec<AboutModule>,
    /// Its configuration, secrets redacted.
    pub config: Vec<Shown>,
}

impl About {
    pub(crate) fn new(config: &Config, options: &AppOptions) -> Self {
        let modules = options.entries.iter().map(|entry| AboutModule {
            name: entry.name,
            is_enabled: config.is_enabled(entry.name),
            provides: entry.provides.iter().map(ToString::to_string).collect(),
            jobs: entry.jobs.iter().map(|kind| kind.name).collect(),
        });
        Self {
            replica_id: options.entropy.uuid(&options.clock),
            role: options.role,
            started_at: options.clock.now(),
            modules: modules.collect(),
            config: config.shown(),
        }
    }
}
