//! `migrate`: each enabled module's migrations, under one lock, never on boot.

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::{Binary, Failure, output};
use crate::app::connect;
use crate::assemble;
use crate::config::Sources;
use crate::migrate::{self, State, Status};

/// Bring the database schema up to date.
///
/// Applies what is pending of every enabled module, each migration in a transaction of its own, under
/// an advisory lock: running it twice, or on two machines at once, is safe. The server never migrates
/// by itself.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct MigrateArgs {
    /// Say what would be applied, and apply nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(subcommand)]
    command: Option<MigrateCommand>,
}

#[derive(Debug, Subcommand)]
enum MigrateCommand {
    /// List every migration and where it stands; exit 1 unless all are applied.
    Status,
}

pub(super) async fn run(binary: &Binary, args: MigrateArgs) -> Result<(), Failure> {
    let config = binary.load_config(&Sources::of_process())?;
    let enabled = assemble::enabled(binary.entries, &config)?;
    let sets = assemble::migration_sets(&enabled);
    let db = connect::database(&config)?;
    let status = migrate::status(&db, &sets)
        .await
        .context("cannot read the schema's state")?;
    if args.command.is_some() {
        return show(&status);
    }
    let pending: Vec<&Status> = status
        .iter()
        .filter(|it| it.state == State::Pending)
        .collect();
    if args.dry_run {
        for it in &pending {
            output::line(format!("would apply {}/{}", it.module, it.name))?;
        }
        output::line(format!("{} pending, nothing changed", pending.len()))?;
        return Ok(());
    }
    let applied = migrate::run(&db, &sets).await.context("migration failed")?;
    for it in &applied {
        output::line(format!("applied {}/{}", it.module, it.name))?;
    }
    output::line(format!(
        "the schema is current ({} applied now)",
        applied.len()
    ))?;
    Ok(())
}

fn show(status: &[Status]) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = status
        .iter()
        .map(|it| vec![it.state.to_string(), format!("{}/{}", it.module, it.name)])
        .collect();
    output::table(&rows)?;
    let open = status
        .iter()
        .filter(|it| it.state != State::Applied)
        .count();
    if open > 0 {
        return Err(anyhow::anyhow!("{open} of {} are not applied", status.len()).into());
    }
    Ok(())
}
