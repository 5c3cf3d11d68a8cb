//! `seed`: the rows that a fresh database needs.

use anyhow::Context as _;
use clap::Args;
use halobestie_core::app::{AppOptions, Prepared};

use super::{Failure, load_config, output};
use crate::modules::COMPILED;

/// Write the rows that a fresh database needs: the admin (ADMIN_EMAIL, ADMIN_PASSWORD), the runtime
/// configuration's defaults and, in development, sample mitras.
///
/// Running it twice changes nothing.
#[derive(Debug, Args)]
pub(super) struct SeedArgs {}

pub(super) async fn run(_: SeedArgs) -> Result<(), Failure> {
    let config = load_config()?;
    let prepared = Prepared::prepare(config, AppOptions::new(COMPILED))
        .await
        .context("cannot seed")?;
    for (name, result) in prepared.seed().await.context("seeding failed")? {
        output::line(format!("{name}: {result}"))?;
    }
    Ok(())
}
