//! The server as a whole: prepare, bind, run, drain. A straight line.
//!
//! [`Prepared`] has its modules wired and its schema checked, and has bound nothing: `seed` needs no
//! more. [`App`] has restored its timers, seeded its mirrors and bound its listeners.

pub mod connect;
mod listeners;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracing::{info, warn};

use crate::assemble::{self, AssembleError};
use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::housekeeping;
use crate::lifecycle::Lifecycle;
use crate::migrate::{self, MigrateError, MigrationSet};
use crate::module::{Context, Contribution, Entry, Phase, RunsOn, Seed, Service};
use crate::problem::BoxError;
use crate::readiness::{Looks, Readiness};
use crate::sweep::{Runner, SweepError, Swept};

pub use listeners::{Listeners, Mounted};

/// How long a start waits for Valkey.
const VALKEY_PATIENCE: Duration = Duration::from_secs(1);

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Answers requests and runs sweeps.
    #[default]
    All,
    /// Answers requests.
    Api,
    /// Runs sweeps and timers; serves probes and metrics only.
    Worker,
}

impl Role {
    /// Whether the modules' routes are served.
    pub const fn serves(self) -> bool {
        matches!(self, Self::All | Self::Api)
    }

    /// Whether sweeps and timers run.
    pub const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }

    const fn runs(self, on: RunsOn) -> bool {
        match on {
            RunsOn::Every => true,
            RunsOn::Api => self.serves(),
            RunsOn::Worker => self.works(),
        }
    }
}

/// What a process is made of, beside its configuration.
pub struct AppOptions {
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
            entries,
            role: Role::All,
            clock: Clock::system(),
            entropy: Entropy::system(),
            lifecycle: Lifecycle::default(),
            listeners: None,
        }
    }
}

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

/// A server with its modules wired and its schema checked.
pub struct Prepared {
    config: Config,
    options: AppOptions,
    enabled: Vec<Entry>,
    sets: Vec<MigrationSet>,
    cx: Context,
    parts: Contribution,
}

impl Prepared {
    /// Connects, checks the schema and wires the modules.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn prepare(config: Config, options: AppOptions) -> Result<Self, StartError> {
        let enabled = assemble::enabled(options.entries, &config)?;
        let sets = assemble::migration_sets(&enabled);
        let mut cx = connect::context(&config, &options).map_err(StartError::Connect)?;
        migrate::verify(&cx.db, &sets).await?;
        let parts = assemble::build(&enabled, &config, &mut cx).await?;
        Ok(Self {
            config,
            options,
            enabled,
            sets,
            cx,
            parts,
        })
    }

    /// Runs every seed: core's settings, then each module's. What each says it did.
    ///
    /// # Errors
    /// The first seed that fails; those before it stay done.
    pub async fn seed(&self) -> Result<Vec<(&'static str, String)>, SeedError> {
        run_seeds(&self.cx, &self.parts.seeds).await
    }

    /// Restores, seeds the mirrors, binds.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn bind(mut self) -> Result<App, StartError> {
        let refreshed = self.cx.settings.refresh(&self.cx.db).await;
        refreshed.map_err(|error| step("read the runtime settings", error))?;
        self.await_valkey().await;
        self.run_steps_before_binding().await?;
        let (sweeps, services) = self.background();
        let readiness = self.readiness();
        let serves = self.options.role.serves();
        let seeds = std::mem::take(&mut self.parts.seeds);
        let tables = listeners::tables(&self.cx, &readiness, &self.enabled, self.parts, serves);
        let tables = tables.map_err(StartError::Routes)?;
        let mounted = tables.mounted();
        let listeners = match self.options.listeners.take() {
            Some(listeners) => listeners,
            None => Listeners::bind(&self.config.server).await?,
        };
        let server = listeners::Server::new(listeners, tables, &self.cx);
        let server = server.map_err(StartError::Routes)?;
        announce(&self.enabled, self.options.entries);
        Ok(App {
            cx: self.cx,
            role: self.options.role,
            readiness,
            sweeps,
            seeds,
            mounted,
            addresses: server.addresses(),
            start: Mutex::new(Some((services, server))),
        })
    }

    fn readiness(&mut self) -> Readiness {
        Readiness::new(Looks {
            db: self.cx.db.clone(),
            valkey: self.cx.valkey.clone(),
            migrations: self.sets.clone(),
            checks: std::mem::take(&mut self.parts.checks),
            clock: self.cx.clock.clone(),
            worker_stale: Duration::from_secs(self.cx.server.worker_stale_seconds),
            requires_worker: self.cx.server.ready_requires_worker,
        })
    }

    /// What runs beside the requests: core's own, then the modules'.
    fn background(&mut self) -> (Runner, Vec<Service>) {
        let mut sweeps = housekeeping::sweeps(&self.cx);
        sweeps.append(&mut self.parts.sweeps);
        let mut services = housekeeping::services(&self.cx);
        services.append(&mut self.parts.services);
        (Runner::new(sweeps, &self.cx), services)
    }

    /// Mirrors are seeded through it where it is there; a start never fails because it is not.
    async fn await_valkey(&self) {
        let Some(valkey) = &self.cx.valkey else {
            info!("no Valkey is configured: one process alone, with its mirror and bus in memory");
            return;
        };
        if !valkey.first_connect(VALKEY_PATIENCE).await {
            warn!("Valkey does not answer: starting without, and trying on");
        }
    }

    async fn run_steps_before_binding(&mut self) -> Result<(), StartError> {
        let mut steps: BTreeMap<Phase, Vec<_>> = BTreeMap::new();
        for step in std::mem::take(&mut self.parts.before_bind) {
            steps.entry(step.phase).or_default().push(step);
        }
        for it in steps.into_values().flatten() {
            it.run.await.map_err(|source| step(it.name, source))?;
        }
        Ok(())
    }
}

async fn run_seeds(cx: &Context, seeds: &[Seed]) -> Result<Vec<(&'static str, String)>, SeedError> {
    const SETTINGS: &str = "runtime settings";
    let failed = |seed, source| SeedError { seed, source };
    let written = cx.settings.seed(&cx.db).await;
    let written = written.map_err(|error| failed(SETTINGS, error.into()))?;
    let mut report = vec![(SETTINGS, format!("{written} defaults written"))];
    for seed in seeds {
        let said = (seed.run)()
            .await
            .map_err(|error| failed(seed.name, error))?;
        report.push((seed.name, said));
    }
    Ok(report)
}

fn step(step: &'static str, source: impl Into<BoxError>) -> StartError {
    StartError::Step {
        step,
        source: source.into(),
    }
}

fn announce(enabled: &[Entry], compiled: &[Entry]) {
    let names = |entries: &[Entry]| {
        entries
            .iter()
            .map(|it| it.name)
            .collect::<Vec<_>>()
            .join(",")
    };
    let provided: Vec<String> = enabled
        .iter()
        .flat_map(|it| it.provides)
        .map(ToString::to_string)
        .collect();
    let (compiled, enabled, provided) = (names(compiled), names(enabled), provided.join(","));
    info!(compiled, enabled, provided, "modules");
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
        run_seeds(&self.cx, &self.seeds).await
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
