//! `serve` and `worker`: the server itself.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use tracing::{info, warn};

use super::{Binary, Failure};
use crate::app::{App, AppOptions, Role};
use crate::config::Sources;
use crate::{lifecycle::Lifecycle, telemetry};

/// Serve requests and run sweeps.
///
/// Refuses to start while migrations are pending: run `migrate` first. SIGTERM or SIGINT
/// drains: /readyz turns 503, requests in flight finish, sockets are told to reconnect.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// What this process does: `api` answers requests, `worker` runs sweeps and timers, `all` both.
    /// Any number of each may run side by side.
    #[arg(long, value_enum, default_value_t = RoleArg::All)]
    role: RoleArg,
}

/// Run sweeps and timers only: the same as `serve --role worker`.
///
/// Probes and metrics are served too, so that an orchestrator can watch it.
#[derive(Debug, Args)]
pub struct WorkerArgs {}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleArg {
    All,
    Api,
    Worker,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::All => Self::All,
            RoleArg::Api => Self::Api,
            RoleArg::Worker => Self::Worker,
        }
    }
}

pub(super) async fn run(binary: &Binary, args: ServeArgs) -> Result<(), Failure> {
    serve(binary, args.role.into()).await
}

pub(super) async fn run_worker(binary: &Binary, _: WorkerArgs) -> Result<(), Failure> {
    serve(binary, Role::Worker).await
}

async fn serve(binary: &Binary, role: Role) -> Result<(), Failure> {
    let config = binary.load_config(&Sources::of_process())?;
    telemetry::start(&config.log, std::io::stdout).map_err(anyhow::Error::from_boxed)?;
    for warning in config.warnings() {
        warn!("{warning}");
    }
    let lifecycle = Lifecycle::default();
    lifecycle
        .listen_to_signals()
        .context("cannot listen to signals")?;
    let options = AppOptions {
        role,
        lifecycle,
        ..binary.options()
    };
    let app = App::build(config, options).await.context("cannot start")?;
    app.run().await.context("stopped")?;
    info!("stopped");
    Ok(())
}
