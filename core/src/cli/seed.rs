//! `seed`: the rows that a fresh database needs.

use anyhow::Context as _;
use clap::Args;

use super::{Binary, Failure, output};
use crate::app::Prepared;
use crate::config::Sources;

/// Write the rows that a fresh database needs: the runtime configuration's defaults, and what each
/// module brings, such as the first admin and, in development, samples.
///
/// Running it twice changes nothing.
#[derive(Debug, Args)]
pub struct SeedArgs {}

pub(super) async fn run(binary: &Binary, _: SeedArgs) -> Result<(), Failure> {
    let config = binary.load_config(&Sources::of_process())?;
    let prepared = Prepared::prepare(config, binary.options())
        .await
        .context("cannot seed")?;
    for (name, result) in prepared.seed().await.context("seeding failed")? {
        output::line(format!("{name}: {result}"))?;
    }
    Ok(())
}
