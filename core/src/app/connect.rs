//! From a configuration to the handles that everything else borrows. Nothing here waits for a server:
//! an absent Postgres is found out by the first statement, an absent Valkey is not an error.

use std::sync::Arc;
use std::time::Duration;

use super::{AppOptions, StartError};
use crate::about::About;
use crate::bus::Bus;
use crate::config::Config;
use crate::jobs::Jobs;
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::module::Context;
use crate::pg::{Db, PgOptions};
use crate::ports::{Late, Ports};
use crate::problem::BoxError;
use crate::settings::Settings;
use crate::valkey::{Valkey, ValkeyOptions};

/// The pool of a configuration, for commands that need no more than Postgres.
///
/// # Errors
/// When the URL is missing or cannot be read.
pub fn database(config: &Config) -> Result<Db, StartError> {
    pool(config, &Metrics::default()).map_err(StartError::Connect)
}

fn pool(config: &Config, metrics: &Metrics) -> Result<Db, BoxError> {
    let url = config
        .database
        .url
        .clone()
        .ok_or("DATABASE_URL is not set")?;
    let timeout = Duration::from_secs(config.database.timeout_seconds);
    let options = PgOptions {
        url,
        ca: config.database.ca.clone(),
        pool_size: config.database.pool_size,
        timeout,
    };
    Db::new(&options, metrics)
}

/// Everything that core lends to modules.
///
/// # Errors
/// When a URL cannot be read.
pub fn context(config: &Config, options: &AppOptions) -> Result<Context, BoxError> {
    let metrics = Metrics::default();
    let lifecycle = options.lifecycle.clone();
    let (valkey, bus) = valkey_and_bus(config, &metrics, &lifecycle)?;
    let jobs = Jobs::new(&bus, &options.clock, &options.entropy, &metrics);
    Ok(Context {
        title: options.title,
        env: config.env,
        server: config.server.clone(),
        db: pool(config, &metrics)?,
        valkey,
        bus,
        jobs,
        clock: options.clock.clone(),
        entropy: options.entropy.clone(),
        metrics,
        settings: Settings::default(),
        lifecycle,
        ports: Ports::default(),
        about: Arc::new(About::new(config, options)),
        runner: Late::default(),
        readiness: Late::default(),
    })
}

fn valkey_and_bus(
    config: &Config,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
) -> Result<(Option<Valkey>, Bus), BoxError> {
    let Some(url) = config.valkey.url.clone() else {
        return Ok((None, Bus::in_process(metrics)));
    };
    let options = ValkeyOptions {
        url,
        key_prefix: config.valkey.key_prefix.clone(),
        timeout: Duration::from_millis(config.valkey.timeout_ms),
        pool_size: config.valkey.pool_size,
    };
    let valkey = Valkey::new(options, metrics, lifecycle)?;
    let bus = Bus::over_valkey(&valkey, metrics, lifecycle);
    Ok((Some(valkey), bus))
}
