//! `dev`: the whole system on one machine, from nothing, by one command.
//!
//! Whatever the configuration does not name (`DATABASE_URL`, `VALKEY_URL`, secrets) is brought along
//! under one folder, `.dev`. Where the sandbox was built, it stands in for the outside world. Everything
//! that was started is stopped again, in order: the server drains, then the sandbox, Valkey and
//! Postgres. Nothing here is for production.

mod binaries;
mod child;
mod environment;
mod home;
mod postgres;
mod sandbox;
mod valkey;
mod welcome;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use halobestie_core::app::{App, AppOptions, Prepared, connect};
use halobestie_core::config::{Config, Sources};
use halobestie_core::lifecycle::Lifecycle;
use halobestie_core::{assemble, migrate, telemetry};
use tracing::warn;

use self::home::Home;
use self::postgres::Postgres;
use self::sandbox::Sandbox;
use self::valkey::Valkey;
use super::output;
use crate::BINARY;
use crate::modules::COMPILED;

/// The folder of everything, below the one where we are started.
const HOME: &str = ".dev";

/// Run everything on this machine: Postgres, Valkey, schema, sample data and the server.
///
/// Needs the programs of Postgres and, better, of Valkey or Redis; scripts/dev installs them. Data,
/// logs and secrets are kept in .dev: the next start finds them again, and removing that folder is a
/// fresh start. Ctrl-C stops all of it. A DATABASE_URL or VALKEY_URL that is set is used instead.
/// Sign-in codes go to the sandbox's page where the program halobestie-sandbox lies beside this one,
/// unless a FAZPASS_ variable is set. The playground at /playground is on unless PLAYGROUND_ENABLED is
/// false.
#[derive(Debug, Args)]
pub(super) struct DevArgs {
    /// Port of the public listener; the internal one takes the next [default: 3000].
    #[arg(long)]
    port: Option<u16>,

    /// Where data, logs and secrets are kept.
    #[arg(long, value_name = "FOLDER", default_value = HOME)]
    home: PathBuf,
}

/// Runs until Ctrl-C.
///
/// # Errors
/// What went wrong, in words for the person at the terminal.
pub(super) async fn run(args: DevArgs) -> anyhow::Result<()> {
    let lifecycle = Lifecycle::default();
    lifecycle
        .listen_to_signals()
        .context("cannot listen to signals")?;
    let home = Home::open(&args.home)?;
    let mut sources = Sources {
        database_optional: true,
        ..Sources::of_process()
    };
    environment::add_basics(&mut sources.env, args.port, &home)?;
    let named = crate::load_config(&sources)?;
    refuse_taken(named.server.public_addr, "PUBLIC_ADDR")?;
    refuse_taken(named.server.internal_addr, "INTERNAL_ADDR")?;
    let planning = Services::plan(&home, &sources, &named);
    let Some(services) = lifecycle.stopping().run_until_cancelled(planning).await else {
        return Ok(());
    };
    let mut services = services?;
    environment::add_services(&mut sources.env, &home, &services)?;
    let config = crate::load_config(&sources)?;
    telemetry::start(&config.log, std::io::stdout).map_err(anyhow::Error::from_boxed)?;
    for warning in config.warnings() {
        warn!("{warning}");
    }
    let outcome = serve(&mut services, config, &sources, &home, &lifecycle).await;
    services.stop().await;
    outcome?;
    output::line(format!(
        "Stopped. Everything is kept in {}.",
        home.path().display()
    ))?;
    Ok(())
}

/// Where the pages of the sandbox are that a `dev` in this folder has started, as a hint for `demo`.
pub(super) fn sandbox_address() -> Option<String> {
    sandbox::address_in(Path::new(HOME))
}

/// The one line that a newcomer needs most often, before anything is started.
fn refuse_taken(address: SocketAddr, variable: &str) -> anyhow::Result<()> {
    if let Err(error) = TcpListener::bind(address) {
        bail!("cannot listen on {address} ({error}): choose another with --port or {variable}");
    }
    Ok(())
}

async fn serve(
    services: &mut Services,
    config: Config,
    sources: &Sources,
    home: &Home,
    lifecycle: &Lifecycle,
) -> anyhow::Result<()> {
    let starting = start(services, config.clone(), lifecycle);
    // Ctrl-C while something starts: what runs already is stopped by the caller.
    let Some(app) = lifecycle.stopping().run_until_cancelled(starting).await else {
        return Ok(());
    };
    let app = app?;
    welcome::print(&config, sources, services, home, app.addresses())?;
    let drained = tokio::select! {
        drained = app.run() => drained,
        log = services.postgres_ended() => {
            lifecycle.shut_down();
            // Without its database the server may well not end in good order; that is not the news.
            let _ = app.run().await;
            bail!("Postgres ended by itself; its log is {}", log.display());
        }
    };
    drained.context("stopped")
}

async fn start(
    services: &mut Services,
    config: Config,
    lifecycle: &Lifecycle,
) -> anyhow::Result<App> {
    services.start().await?;
    let sets = assemble::migration_sets(&assemble::enabled(COMPILED, &config)?);
    let db = connect::database(&config)?;
    migrate::run(&db, &sets)
        .await
        .context("cannot migrate the database")?;
    db.close();
    let options = AppOptions {
        lifecycle: lifecycle.clone(),
        ..BINARY.options()
    };
    let prepared = Prepared::prepare(config, options)
        .await
        .context("cannot start")?;
    prepared.seed().await.context("cannot seed")?;
    prepared.bind().await.context("cannot start")
}

/// What `dev` brings along: whatever the configuration does not name.
struct Services {
    postgres: Option<Postgres>,
    valkey: Option<Valkey>,
    /// Runs from the plan on: the configuration needs its addresses.
    sandbox: Option<Sandbox>,
    /// Whether there is a Valkey at all, ours or another.
    has_valkey: bool,
}

impl Services {
    async fn plan(home: &Home, sources: &Sources, named: &Config) -> anyhow::Result<Self> {
        let path = sources.env.get("PATH").map_or("", String::as_str);
        let postgres = match named.database.url {
            Some(_) => None,
            None => Some(Postgres::plan(home, path)?),
        };
        let valkey = match named.valkey.url {
            Some(_) => None,
            None => Valkey::plan(home, path)?,
        };
        let has_valkey = valkey.is_some() || named.valkey.url.is_some();
        let sandbox = Sandbox::start(home, sources, named).await?;
        Ok(Self {
            postgres,
            valkey,
            sandbox,
            has_valkey,
        })
    }

    async fn start(&mut self) -> anyhow::Result<()> {
        if let Some(postgres) = &mut self.postgres {
            postgres.start().await?;
        }
        if let Some(valkey) = &mut self.valkey {
            valkey.start().await?;
        }
        Ok(())
    }

    /// The other way round: Postgres has the truth and goes last.
    async fn stop(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.stop().await;
        }
        if let Some(valkey) = &mut self.valkey {
            valkey.stop().await;
        }
        if let Some(postgres) = &mut self.postgres {
            postgres.stop().await;
        }
    }

    /// Waits for the unexpected; the path of the log that says why.
    async fn postgres_ended(&mut self) -> PathBuf {
        match &mut self.postgres {
            Some(postgres) => postgres.ended().await,
            None => std::future::pending().await,
        }
    }
}
