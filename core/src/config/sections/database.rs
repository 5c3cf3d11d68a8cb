//! `[database]`: Postgres.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::config::{AppEnv, Checks, Invalid, Kind, Section, Variable};

/// Postgres.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://…`; `None` only where `dev` brings its own.
    pub url: Option<SecretString>,
    /// Authorities to trust for TLS in place of the public ones, as PEM.
    pub ca: Option<String>,
    /// Connections at most.
    pub pool_size: usize,
    /// The deadline of a checkout, and of each statement.
    pub timeout_seconds: u64,
}

const URL: &str = "a URL such as postgres://user:password@host:5432/name, special characters \
                   percent-encoded, sslmode disable, prefer or require";

impl Section for DatabaseConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new(
            "DATABASE_URL",
            "url",
            Kind::Secret,
            "Postgres; required but in `dev`",
        )
        .accepts(URL)
        .or(&["CLOUDRON_POSTGRESQL_URL"]),
        Variable::new(
            "DATABASE_CA",
            "ca",
            Kind::Text,
            "authorities to trust for TLS to Postgres, as PEM; usually set as DATABASE_CA_FILE",
        ),
        Variable::new(
            "DATABASE_POOL_SIZE",
            "pool_size",
            Kind::Integer,
            "connections to Postgres at most, of each process",
        ),
        Variable::new(
            "DATABASE_TIMEOUT_SECONDS",
            "timeout_seconds",
            Kind::Integer,
            "the deadline of getting a connection, and of each statement",
        ),
    ];

    fn validate(&self, _: AppEnv) -> Vec<Invalid> {
        let is_fine = self
            .url
            .as_ref()
            .is_none_or(|url| is_postgres_url(url.expose_secret()));
        Checks::default()
            .require("url", is_fine, format!("expected {URL}"))
            // Two, because a sweep's lock keeps one while its step uses another.
            .range("pool_size", self.pool_size, 2..=1000)
            .range("timeout_seconds", self.timeout_seconds, 1..=300)
            .invalid
    }
}

fn is_postgres_url(text: &str) -> bool {
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let parsed = text.parse::<tokio_postgres::Config>();
    is_url && parsed.is_ok_and(|config| !config.get_hosts().is_empty())
}
