//! The `[drafts]` section.

use halobestie_core::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};
use serde::Deserialize;

/// Whether drafts are kept, and how many.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftsConfig {
    /// Whether drafts are kept here at all.
    pub sync_enabled: bool,
    /// Drafts of one person.
    pub user_drafts: u32,
    /// Published drafts of one person.
    pub user_publications: u32,
}

impl Section for DraftsConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "ENABLE_BACKEND_SYNC",
            "sync_enabled",
            Kind::Bool,
            "whether drafts are kept here; without, every call is answered 503 and nothing is kept",
        ),
        Variable::new(
            "DRAFTS_PER_USER",
            "user_drafts",
            Kind::Integer,
            "drafts that one person may have",
        ),
        Variable::new(
            "PUBLICATIONS_PER_USER",
            "user_publications",
            Kind::Integer,
            "drafts that one person may have published",
        ),
    ];
    const DEFAULTS: &'static str = include_str!("defaults.toml");

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        Checks::default()
            .range("user_drafts", self.user_drafts, 1..=10_000)
            .range("user_publications", self.user_publications, 1..=10_000)
            .invalid
    }
}
