//! The server as a whole: prepare, bind, run, drain. A straight line.
//!
//! [`Prepared`] has its modules wired and its schema checked, and has bound nothing: `seed` needs no
//! more. [`App`] has restored its timers, seeded its mirrors and bound its listeners.

pub mod connect;
mod error;
mod listeners;
mod prepared;
mod role;

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracing::info;

use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::lifecycle::Lifecycle;
use crate::module::{Context, Entry, Seed, Service};
use crate::openapi::Title;
use crate::readiness::Readiness;
use crate::sweep::{Runner, SweepError, Swept};

pub use error::{RunError, SeedError, StartError};
pub use listeners::{Listeners, Mounted};
pub use prepared::Prepared;
pub use role::Role;

/// What a process is made of, beside its configuration.
pub struct AppOptions {
    /// How the description of the API calls it.
    pub title: Title,
    /// The modules compiled in.
    pub entries: &'static [Entry],
    /// What the process does.
    pub role: Role,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub entropy: Entropy,
    /// The life that it is part of.
    pub lifecycle: Lifecycle,
    /// Sockets that are bound already; otherwise the configuration's addresses are bound.
    pub listeners: Option<Listeners>,
}

impl AppOptions {
    /// The real clock, real chance, every role.
    pub fn new(entries: &'static [Entry]) -> Self {
        Self {
            title: Title::default(),
            entries,
            role: Role::All,
            clock: Clock::system(),
            entropy: Entropy::system(),
            lifecycle: Lifecycle::default(),
            listeners: None,
        }
    }
}

/// Where the two listeners are bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The public one.
    pub public: SocketAddr,
    /// The internal one.
    pub internal: SocketAddr,
}

/// A server with its listeners bound, ready to run.
pub struct App {
    cx: Context,
    role: Role,
    readiness: Readiness,
    sweeps: Runner,
    seeds: Vec<Seed>,
    mounted: Mounted,
    addresses: Addresses,
    // Taken by the first `run`.
    start: Mutex<Option<(Vec<Service>, listeners::Server)>>,
}

impl App {
    /// Prepares and binds.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn build(config: Config, options: AppOptions) -> Result<Self, StartError> {
        Prepared::prepare(config, options).await?.bind().await
    }

    /// Where the listeners are bound.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// What core lends to modules; tests reach the database and the clock through it.
    pub fn context(&self) -> &Context {
        &self.cx
    }

    /// Every route that is served.
    pub fn mounted(&self) -> &Mounted {
        &self.mounted
    }

    /// Runs one sweep now.
    ///
    /// # Errors
    /// See [`SweepError`].
    pub async fn run_sweep(&self, name: &str) -> Result<Swept, SweepError> {
        self.sweeps.run_named(name).await
    }

    /// Runs every seed, as [`Prepared::seed`] does.
    ///
    /// # Errors
    /// The first seed that fails.
    pub async fn seed(&self) -> Result<Vec<(&'static str, String)>, SeedError> {
        prepared::run_seeds(&self.cx, &self.seeds).await
    }

    /// Serves until a stop is asked for, then drains. A second call only waits for that.
    ///
    /// # Errors
    /// When a vital task died, or work was left at the shutdown timeout.
    pub async fn run(&self) -> Result<(), RunError> {
        self.start();
        let lifecycle = &self.cx.lifecycle;
        lifecycle.stopping().cancelled().await;
        self.readiness.drain();
        let delay = Duration::from_secs(self.cx.server.shutdown_delay_seconds);
        lifecycle
            .hard()
            .run_until_cancelled(tokio::time::sleep(delay))
            .await;
        lifecycle.drain();
        let timeout = Duration::from_secs(self.cx.server.shutdown_timeout_seconds);
        let in_time = lifecycle.finish(timeout).await;
        self.cx.db.close();
        match (lifecycle.has_failed(), in_time) {
            (true, _) => Err(RunError::TaskDied),
            (false, false) => Err(RunError::Overtime(timeout)),
            (false, true) => Ok(()),
        }
    }

    fn start(&self) {
        let start = self
            .start
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some((services, server)) = start else {
            return;
        };
        for service in services
            .into_iter()
            .filter(|service| self.role.runs(service.on))
        {
            self.cx.lifecycle.spawn_vital(service.name, service.run);
        }
        if self.role.works() {
            self.sweeps.start();
        }
        server.start(&self.cx);
        let Addresses { public, internal } = self.addresses;
        info!(%public, %internal, role = ?self.role, "serving");
    }
}
