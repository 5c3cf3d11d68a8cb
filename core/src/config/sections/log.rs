//! `[log]`: log lines and traces.

use serde::Deserialize;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use super::address::is_http_url;
use crate::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// Logging.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// A level, or directives such as `info,halobestie_chat=debug`.
    pub level: String,
    /// JSON or pretty.
    pub format: LogFormat,
    /// Where traces go; empty means nowhere.
    pub otlp_endpoint: Option<String>,
}

const LEVEL: &str = "off, error, warn, info, debug, trace, or directives such as \
                     info,halobestie_chat=debug";
const FORMAT: &str = "json or pretty";
const ENDPOINT: &str = "an http or https URL, such as http://collector:4317";

impl Section for LogConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new("LOG_LEVEL", "level", Kind::Text, "how much is logged").accepts(LEVEL),
        Variable::new("LOG_FORMAT", "format", Kind::Text, "how log lines look").accepts(FORMAT),
        Variable::new(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "otlp_endpoint",
            Kind::Text,
            "where traces go; empty means nowhere",
        )
        .accepts(ENDPOINT),
    ];

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        let endpoint_fits = self.otlp_endpoint.as_deref().is_none_or(is_http_url);
        Checks::default()
            .require("level", is_filter(&self.level), format!("expected {LEVEL}"))
            .require(
                "otlp_endpoint",
                endpoint_fits,
                format!("expected {ENDPOINT}"),
            )
            .invalid
    }
}

/// The filter's own parser takes a misspelled level for the name of a target and then logs nothing
/// but that, so a word by itself must be a level.
fn is_filter(text: &str) -> bool {
    let is_directive = |word: &str| word.contains('=') || word.parse::<LevelFilter>().is_ok();
    text.split(',').all(|word| is_directive(word.trim())) && EnvFilter::try_new(text).is_ok()
}
