//! How a test's server is to be started. Every start of one plan meets on the same data.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use halobestie_core::app::{App, AppOptions, Role};
use halobestie_core::clock::Clock;
use halobestie_core::config::{Config, Sources};
use halobestie_core::entropy::Entropy;
use halobestie_core::{Entry, Timestamp};

use crate::app::TestApp;
use crate::database::TestDb;
use crate::environment;
use crate::proxy::TcpProxy;

/// 2026-01-15T08:00:00Z, a Thursday afternoon in Jakarta: where a test's clock starts.
const START: Timestamp = Timestamp::from_unix_ms(1_768_464_000_000);

/// What every test's server is configured with unless the test says otherwise.
const DEFAULTS: &[(&str, &str)] = &[
    ("APP_ENV", "test"),
    ("AUTH_BCRYPT_COST", "4"),
    (
        "AUTH_JWT_SECRET",
        "a secret that only the tests of this project know",
    ),
    // All of a test's people come from one address.
    ("OTP_ADDRESS_HOURLY", "100000"),
    ("SHUTDOWN_TIMEOUT_SECONDS", "10"),
    // Half a second, the default, is too near to what a busy test machine takes.
    ("VALKEY_TIMEOUT_MS", "2000"),
];

/// A server to be started. Cloning it and starting twice gives two replicas.
#[derive(Clone)]
pub struct Plan {
    entries: &'static [Entry],
    env: BTreeMap<String, String>,
    database: Option<TestDb>,
    postgres_proxy: Option<SocketAddr>,
    role: Role,
    pub(crate) clock: Clock,
    entropy: Entropy,
}

impl Plan {
    pub(crate) fn new(entries: &'static [Entry]) -> Self {
        let mut env: BTreeMap<String, String> = DEFAULTS
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        let prefix = Entropy::system()
            .uuid(&Clock::system())
            .simple()
            .to_string();
        env.insert("VALKEY_URL".into(), environment::valkey_url());
        env.insert("VALKEY_KEY_PREFIX".into(), format!("test:{prefix}:"));
        Self {
            entries,
            env,
            database: None,
            postgres_proxy: None,
            role: Role::All,
            clock: Clock::manual(START),
            entropy: Entropy::system(),
        }
    }

    /// Sets an environment variable of the server.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Runs without Valkey: one process, in-memory mirror and bus.
    #[must_use]
    pub fn no_valkey(mut self) -> Self {
        self.env.remove("VALKEY_URL");
        self
    }

    /// Runs over another Valkey than the shared one: a process or a proxy that the test can break.
    #[must_use]
    pub fn valkey_at(self, url: &str) -> Self {
        self.env("VALKEY_URL", url)
    }

    /// Reaches Postgres through a proxy that the test can break.
    #[must_use]
    pub fn postgres_through(mut self, proxy: &TcpProxy) -> Self {
        self.postgres_proxy = Some(proxy.address());
        self
    }

    /// Runs over a database that exists already.
    #[must_use]
    pub fn database(mut self, database: &TestDb) -> Self {
        self.database = Some(database.clone());
        self
    }

    /// Runs by this clock; by default a manual one of this plan.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Draws from a repeatable sequence of chance.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.entropy = Entropy::seeded(seed);
        self
    }

    /// Serves, sweeps, or both (the default).
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Starts the server; panics when it does not.
    pub async fn start(self) -> TestApp {
        match self.try_start().await {
            Ok(app) => app,
            Err(error) => panic!("the server does not start: {error}"),
        }
    }

    /// Starts the server, for a test of a start that must fail.
    ///
    /// # Errors
    /// What the server said, its causes after colons.
    pub async fn try_start(mut self) -> Result<TestApp, String> {
        environment::show_log();
        let database = match &self.database {
            Some(database) => database.clone(),
            None => TestDb::create(self.entries).await,
        };
        self.database = Some(database.clone());
        let config = self.config(&database).map_err(|error| error.to_string())?;
        let app = App::build(config, self.options())
            .await
            .map_err(|error| with_causes(&error))?;
        Ok(TestApp::run(app, self, database))
    }

    fn config(&self, database: &TestDb) -> Result<Config, halobestie_core::config::ConfigErrors> {
        let mut env = self.env.clone();
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).to_string();
        env.entry("PUBLIC_ADDR".into())
            .or_insert_with(|| any_port.clone());
        env.entry("INTERNAL_ADDR".into()).or_insert(any_port);
        env.entry("DATABASE_URL".into())
            .or_insert_with(|| database.url_by(self.postgres_proxy));
        let known: Vec<&str> = self.entries.iter().map(|entry| entry.name).collect();
        Config::load(
            &Sources {
                env,
                ..Sources::default()
            },
            self.entries,
            &known,
        )
    }

    fn options(&self) -> AppOptions {
        AppOptions {
            role: self.role,
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            ..AppOptions::new(self.entries)
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
