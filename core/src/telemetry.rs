//! Log lines: JSON for machines, pretty for people, filtered by `LOG_LEVEL`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat};
use crate::problem::BoxError;

/// Starts logging to `writer` for the whole process; called once, by `main`.
///
/// # Errors
/// When the level cannot be read, or logging was started before.
pub fn start<W>(config: &LogConfig, writer: W) -> Result<(), BoxError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&config.level)?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    match config.format {
        LogFormat::Json => {
            lines
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false)
                .finish()
                .try_init()?;
        }
        LogFormat::Pretty => {
            // Colours are for eyes: a pipe or a file would keep the escape codes.
            let is_terminal = std::io::stdout().is_terminal();
            lines
                .compact()
                .with_ansi(is_terminal)
                .with_target(false)
                .finish()
                .try_init()?;
        }
    }
    Ok(())
}
