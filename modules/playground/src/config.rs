//! The `[playground]` section.

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use serde::Deserialize;

/// What the page cannot know by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaygroundConfig {
    /// Where codes that were sent can be read.
    pub sandbox_url: Option<String>,
}

impl Section for PlaygroundConfig {
    const VARIABLES: &'static [Variable] = &[Variable::new(
        "PLAYGROUND_SANDBOX_URL",
        "sandbox_url",
        Kind::Text,
        "where codes that were sent can be read; `dev` sets it",
    )];

    fn validate(&self, env: AppEnv) -> Vec<Invalid> {
        let is_http = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        Checks::default()
            .require(
                "enabled",
                !env.is_deployed(),
                format!("the playground shows what goes over the wire and is never on in {env}: set it to false"),
            )
            .require(
                "sandbox_url",
                self.sandbox_url.as_deref().is_none_or(is_http),
                "expected an address that starts with http:// or https://",
            )
            .invalid
    }
}
