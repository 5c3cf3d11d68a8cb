//! `config show` and `config check`.

use clap::{Args, Subcommand};

use super::{Failure, load_config, output};

/// Look at the configuration.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print every value and where it came from. Secrets are redacted.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Load and check everything, print nothing but problems; exit 2 if there are any.
    Check,
}

pub(super) fn run(args: ConfigArgs) -> Result<(), Failure> {
    let config = load_config()?;
    match args.command {
        ConfigCommand::Check => {
            for warning in config.warnings() {
                output::line(format!("warning: {warning}"))?;
            }
            output::line(format!(
                "the configuration is fine ({})",
                config.env.as_str()
            ))?;
        }
        ConfigCommand::Show { json: true } => {
            output::line(serde_json::to_string_pretty(&config.shown())?)?;
        }
        ConfigCommand::Show { json: false } => {
            let header = ["key", "value", "variable", "from"]
                .map(str::to_owned)
                .to_vec();
            let rows = config.shown().into_iter().map(|it| {
                vec![
                    it.key,
                    it.value,
                    it.variable.unwrap_or_default().to_owned(),
                    it.origin,
                ]
            });
            output::table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())?;
        }
    }
    Ok(())
}
