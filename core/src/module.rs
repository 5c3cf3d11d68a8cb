//! What a module is.
//!
//! # How to add one
//!
//! 1. Its folder `modules/<name>/` with an `impl Module` in `lib.rs` that reads like a table of
//!    contents, its folder `migrations/<name>/`, its section in `config/default.toml`.
//! 2. Three lines: the feature and the dependency in the root `Cargo.toml`, the entry in
//!    `src/modules.rs`.
//!
//! Static facts are constants and functions without `self`, so that they can be listed without
//! connecting to anything; only `build` does work, and it only wires: nothing is read from Postgres
//! or Valkey before the `before_bind` steps run.

use std::future::Future;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::about::About;
use crate::bus::Bus;
use crate::clock::Clock;
use crate::config::{AppEnv, Config, Section, SectionSpec, ServerConfig};
use crate::doctor::Examination;
use crate::entropy::Entropy;
use crate::http::Routes;
use crate::jobs::{Handler, JobKind, Jobs};
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::migrate::Migration;
use crate::openapi::Title;
use crate::pg::Db;
use crate::ports::{Capability, Late, Ports};
use crate::problem::{BoxError, ErrorCode};
use crate::readiness::Readiness;
use crate::settings::Settings;
use crate::sweep::{Runner, Sweep};
use crate::valkey::Valkey;

/// A slice of the product: its routes, tables, sweeps and settings, behind one name.
pub trait Module: Send + Sync + 'static {
    /// Feature name = config section = migrations folder.
    const NAME: &'static str;
    /// Must be provided by an enabled module, else the start fails.
    const NEEDS: &'static [Capability];
    /// What `build` sets in the ports.
    const PROVIDES: &'static [Capability];
    /// The names of the sweeps that `build` contributes.
    const SWEEPS: &'static [&'static str];
    /// The kinds of jobs that `build` contributes handlers of.
    const JOBS: &'static [JobKind] = &[];
    /// The config section.
    type Config: Section;

    /// This module's migrations, oldest first.
    fn migrations() -> &'static [Migration];
    /// The error codes that its routes can answer with, beyond core's.
    fn errors() -> &'static [&'static ErrorCode];
    /// The description of its routes.
    fn openapi() -> utoipa::openapi::OpenApi;
    /// Wires the module.
    fn build(
        config: Self::Config,
        cx: &mut Context,
    ) -> impl Future<Output = Result<Contribution, BoxError>> + Send;
}

/// What core lends to a module while it is built. Everything in it is a cheap handle.
#[derive(Clone)]
pub struct Context {
    /// What the server is called, and its version.
    pub title: Title,
    /// Which environment this is.
    pub env: AppEnv,
    /// Addresses, limits, the public base URL.
    pub server: Arc<ServerConfig>,
    /// Postgres.
    pub db: Db,
    /// Valkey, where one is configured.
    pub valkey: Option<Valkey>,
    /// Events between processes.
    pub bus: Bus,
    /// Durable work.
    pub jobs: Jobs,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub entropy: Entropy,
    /// Prometheus.
    pub metrics: Metrics,
    /// Runtime configuration.
    pub settings: Settings,
    /// Tokens and the task tracker.
    pub lifecycle: Lifecycle,
    /// Where modules meet.
    pub ports: Ports,
    /// What this process is.
    pub about: Arc<About>,
    /// Every sweep of the server, once the listeners are bound.
    pub runner: Late<Runner>,
    /// The state of everything, once the listeners are bound.
    pub readiness: Late<Readiness>,
}

/// What a module brings. It fills only what it has.
#[derive(Default)]
pub struct Contribution {
    /// Routes of the public listener.
    pub public: Routes,
    /// Routes of the internal listener.
    pub internal: Routes,
    /// Periodic work, on workers.
    pub sweeps: Vec<Sweep>,
    /// Who does the jobs of this module's kinds, on workers.
    pub jobs: Vec<Handler>,
    /// Long-running work.
    pub services: Vec<Service>,
    /// What must be done before the listeners bind.
    pub before_bind: Vec<BeforeBind>,
    /// Health checks, shown by `/readyz`; none of them decides.
    pub checks: Vec<HealthCheck>,
    /// What the command `doctor` looks at, and may repair.
    pub examinations: Vec<Examination>,
    /// One-off data, by the command `seed`.
    pub seeds: Vec<Seed>,
}

/// Which processes run a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunsOn {
    /// Every process.
    Every,
    /// Processes that serve the API.
    Api,
    /// Processes that run sweeps.
    Worker,
}

/// Work that goes on until the soft token turns.
pub struct Service {
    /// Its name, for the log.
    pub name: &'static str,
    /// Where it runs.
    pub on: RunsOn,
    /// The work; it watches the soft token itself.
    pub run: BoxFuture<'static, Result<(), BoxError>>,
}

impl Service {
    /// Declares a service.
    pub fn new<F>(name: &'static str, on: RunsOn, run: F) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self {
            name,
            on,
            run: run.boxed(),
        }
    }
}

/// When a step before binding runs; all of a phase end before the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Brings Postgres up to now: what should have happened while nobody ran.
    Restore,
    /// Fills mirrors and caches from Postgres.
    Seed,
}

/// A step of the start, before the listeners bind. A failure stops the start.
pub struct BeforeBind {
    /// Its name, for the log.
    pub name: &'static str,
    /// When.
    pub phase: Phase,
    /// What.
    pub run: BoxFuture<'static, Result<(), BoxError>>,
}

impl BeforeBind {
    /// Declares a step.
    pub fn new<F>(name: &'static str, phase: Phase, run: F) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self {
            name,
            phase,
            run: run.boxed(),
        }
    }
}

/// The state of something a module depends on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Health {
    /// `ok` or `degraded`.
    pub status: &'static str,
    /// A few words, no secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A named look at something.
#[derive(Clone)]
pub struct HealthCheck {
    /// Its name in `/readyz`.
    pub name: &'static str,
    /// The look; cut off after a second.
    pub look: Arc<dyn Fn() -> BoxFuture<'static, Health> + Send + Sync>,
}

/// One-off data. Running it twice changes nothing.
#[derive(Clone)]
pub struct Seed {
    /// Its name, for the report.
    pub name: &'static str,
    /// The work; says in a few words what it did.
    pub run: Arc<dyn Fn() -> BoxFuture<'static, Result<String, BoxError>> + Send + Sync>,
}

impl Seed {
    /// Declares a seed.
    pub fn new<F, Fut>(name: &'static str, run: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        Self {
            name,
            run: Arc::new(move || run().boxed()),
        }
    }
}

type BuildFn =
    for<'a> fn(&'a Config, &'a mut Context) -> BoxFuture<'a, Result<Contribution, BoxError>>;

/// A module with its type erased: a row of `src/modules.rs`.
#[derive(Clone, Copy)]
pub struct Entry {
    /// [`Module::NAME`]
    pub name: &'static str,
    /// [`Module::NEEDS`]
    pub needs: &'static [Capability],
    /// [`Module::PROVIDES`]
    pub provides: &'static [Capability],
    /// [`Module::SWEEPS`]
    pub sweeps: &'static [&'static str],
    /// [`Module::JOBS`]
    pub jobs: &'static [JobKind],
    /// The variables and checks of its config section.
    pub section: SectionSpec,
    /// [`Module::migrations`]
    pub migrations: fn() -> &'static [Migration],
    /// [`Module::errors`]
    pub errors: fn() -> &'static [&'static ErrorCode],
    /// [`Module::openapi`]
    pub openapi: fn() -> utoipa::openapi::OpenApi,
    pub(crate) build: BuildFn,
}

impl Entry {
    /// Erases a module's type.
    pub const fn of<M: Module>() -> Self {
        Self {
            name: M::NAME,
            needs: M::NEEDS,
            provides: M::PROVIDES,
            sweeps: M::SWEEPS,
            jobs: M::JOBS,
            section: SectionSpec::of::<M::Config>(M::NAME),
            migrations: M::migrations,
            errors: M::errors,
            openapi: M::openapi,
            build: build_erased::<M>,
        }
    }
}

fn build_erased<'a, M: Module>(
    config: &'a Config,
    cx: &'a mut Context,
) -> BoxFuture<'a, Result<Contribution, BoxError>> {
    async move { M::build(config.section::<M::Config>(M::NAME)?, cx).await }.boxed()
}
