//! `ledger`: the books of the money, checked. Needs a database, and no server.

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use halobestie_core::app::Prepared;
use halobestie_core::ports::BooksReport;

use super::{Failure, load_config, output};
use crate::BINARY;

/// Check the books of the money.
#[derive(Args, Debug)]
pub(super) struct LedgerArgs {
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Prove that every movement balances, and that the books say the same as payments, refunds and
    /// sessions. Changes nothing, and may run beside the server.
    #[command(after_help = "\
Exit codes: 0 everything is explained, 1 something differs (a line each), 2 the configuration cannot be used.

Accounts: xendit (what Xendit has of ours), bank (paid out by hand), sales, held (paid for nothing that we sold),
credits (owed for time that was not delivered), refunds (sold and given back), fees. Debits are positive.

Examples:
  halobestie ledger check
  halobestie ledger check --json | jq .balances")]
    Check {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(args: LedgerArgs) -> Result<(), Failure> {
    let LedgerCommand::Check { json } = args.command;
    let config = load_config()?;
    let prepared = Prepared::prepare(config, BINARY.options())
        .await
        .context("cannot reach the books")?;
    let checked = check(&prepared).await;
    prepared.leave().await;
    let report = checked?;
    match json {
        true => output::line(serde_json::to_string_pretty(&report)?)?,
        false => print(&report)?,
    }
    match report.differences_in_all {
        0 => Ok(()),
        1 => Err(anyhow!("1 thing in the books is not explained").into()),
        many => Err(anyhow!("{many} things in the books are not explained").into()),
    }
}

async fn check(prepared: &Prepared) -> Result<BooksReport, Failure> {
    let books = prepared.context().ports.books.get();
    let books = books.ok_or_else(|| {
        anyhow!("this server keeps no books: the module xendit is switched off or not compiled in")
    })?;
    Ok(books.check().await?)
}

fn print(report: &BooksReport) -> Result<(), Failure> {
    let BooksReport {
        movements,
        payments,
        refunds,
        sessions,
        balances,
        differences,
        differences_in_all,
    } = report;
    output::line(format!(
        "{movements} movements, {payments} payments, {refunds} refunds, {sessions} sessions"
    ))?;
    let rows = balances.iter().map(|it| {
        let amount = format!("{:>15}", it.amount);
        vec![format!("  {}", it.account), amount]
    });
    output::table(&rows.collect::<Vec<_>>())?;
    for difference in differences {
        output::line(format!("✗ {difference}"))?;
    }
    let told = u64::try_from(differences.len()).unwrap_or(u64::MAX);
    match differences_in_all - told {
        0 if *differences_in_all == 0 => {
            output::line("✓ every movement balances and is explained")?
        }
        0 => {}
        more => output::line(format!("  … and {more} more"))?,
    }
    Ok(())
}
