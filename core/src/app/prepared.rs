//! A server with its modules wired and its schema checked, and nothing bound yet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::{info, warn};

use super::{App, AppOptions, Listeners, SeedError, StartError, connect, listeners};
use crate::assemble;
use crate::config::Config;
use crate::housekeeping;
use crate::jobs;
use crate::migrate::{self, MigrationSet};
use crate::module::{Context, Contribution, Entry, Phase, Seed, Service};
use crate::openapi;
use crate::problem::BoxError;
use crate::readiness::{Looks, Readiness};
use crate::sweep::Runner;

/// How long a start waits for Valkey.
const VALKEY_PATIENCE: Duration = Duration::from_secs(1);
/// How long a command's last words to the other processes may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

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

    /// The modules' ports and what core lends them, for commands that do one thing and end.
    pub fn context(&self) -> &Context {
        &self.cx
    }

    /// Waits a moment for Valkey, for commands that have something to tell the servers. They hear of
    /// it later where it does not answer.
    pub async fn reach_the_others(&self) {
        if let Some(valkey) = &self.cx.valkey {
            valkey.first_connect(VALKEY_PATIENCE).await;
        }
    }

    /// Ends without having bound anything, once what was told is out.
    pub async fn leave(self) {
        self.cx.lifecycle.drain();
        self.cx.lifecycle.finish(LEAVE_WITHIN).await;
        self.cx.db.close();
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
        self.cx.runner.fill(Arc::new(sweeps.clone()));
        self.cx.readiness.fill(Arc::new(readiness.clone()));
        let serves = self.options.role.serves();
        let seeds = std::mem::take(&mut self.parts.seeds);
        let description = || openapi::merged(&self.options.title, &self.enabled);
        let tables = listeners::tables(&self.cx, &readiness, description, self.parts, serves);
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
        let handlers = std::mem::take(&mut self.parts.jobs);
        sweeps.append(&mut jobs::sweeps(&handlers, &self.cx));
        services.append(&mut jobs::services(handlers, &self.cx));
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

pub(super) async fn run_seeds(
    cx: &Context,
    seeds: &[Seed],
) -> Result<Vec<(&'static str, String)>, SeedError> {
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
