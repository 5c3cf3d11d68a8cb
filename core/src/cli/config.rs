//! `config show` and `config check`.

use super::{Binary, Failure, output};
use crate::config::{ConfigErrors, Sources};
use clap::{Args, Subcommand};

/// Look at the configuration.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print every value and where it came from. Secrets are redacted; exit 2 if anything is wrong.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Load and check everything, print nothing but problems; exit 2 if there are any.
    Check,
}

pub(super) fn run(binary: &Binary, args: ConfigArgs) -> Result<(), Failure> {
    match args.command {
        ConfigCommand::Check => check(binary),
        ConfigCommand::Show { json } => show(binary, json),
    }
}

fn check(binary: &Binary) -> Result<(), Failure> {
    let config = binary.load_config(&Sources::of_process())?;
    for warning in config.warnings() {
        output::line(format!("warning: {warning}"))?;
    }
    let env = config.env.as_str();
    output::line(format!("the configuration is fine ({env})"))?;
    Ok(())
}

/// Shows what there is even when something is wrong: it is what one looks at then.
fn show(binary: &Binary, json: bool) -> Result<(), Failure> {
    let found = binary.examine_config(&Sources::of_process());
    if json {
        output::line(serde_json::to_string_pretty(&found.shown)?)?;
    } else {
        let header = ["key", "value", "variable", "from"].map(str::to_owned);
        let rows = found.shown.into_iter().map(|it| {
            let variable = it.variable.unwrap_or_default();
            vec![it.key, it.value, variable, it.origin]
        });
        output::table(
            &std::iter::once(header.to_vec())
                .chain(rows)
                .collect::<Vec<_>>(),
        )?;
    }
    if found.problems.is_empty() {
        return Ok(());
    }
    Err(ConfigErrors(found.problems).into())
}
