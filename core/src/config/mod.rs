//! Configuration: layers, typed sections, and where every value came from.
//!
//! Layers, later ones win: `default.toml` (compiled in), `<config dir>/default.toml`, `<APP_ENV>.toml`
//! (compiled in), `<config dir>/<APP_ENV>.toml`, environment variables, where `NAME_FILE` names a file
//! that holds `NAME`. Variables are read as text and parsed by the kind that their [`Variable`] row
//! declares, so no quoting rule reaches an operator. All problems are reported at once, a line each:
//! the variable, where its value came from, what is accepted; never a secret's value.
//!
//! The way through it is `load.rs`; `schema.rs` is what may be configured, `values.rs` what is.

mod app_env;
mod check;
mod environment;
mod example;
mod files;
mod load;
mod origin;
mod problems;
mod schema;
mod section;
mod sections;
mod shown;
mod spelling;
mod switches;
mod value;
mod values;
mod variable;
mod warnings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::module::Entry;
use crate::problem::BoxError;

pub use app_env::AppEnv;
pub use example::{example_env, stack_env};
pub use files::missing_defaults;
pub use section::{Checks, Invalid, NoConfig, Section, SectionSpec};
pub use sections::{DatabaseConfig, LogConfig, LogFormat, ServerConfig, ValkeyConfig};
pub use shown::Shown;
pub use variable::{Kind, Variable};

use files::{BUILT_IN, BuiltIn};
use load::Loaded;

/// Where values are read from. An input, so that tests need no process environment.
#[derive(Clone, Default)]
pub struct Sources {
    /// The environment variables.
    pub env: BTreeMap<String, String>,
    /// The folder with `default.toml` and `<APP_ENV>.toml`; files that are absent are skipped.
    pub config_dir: Option<PathBuf>,
    /// Lets `DATABASE_URL` be unset: for `dev`, which brings its own Postgres, and for commands that
    /// connect to nothing.
    pub database_optional: bool,
}

impl Sources {
    /// This process's environment, and `config/` below the working directory (or `CONFIG_DIR`).
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        // Not `vars`, which panics on a stranger's variable that is not UTF-8.
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let env: BTreeMap<String, String> = std::env::vars_os()
            .map(|(name, value)| (text(name), text(value)))
            .collect();
        let named = env
            .get(environment::CONFIG_DIR)
            .filter(|folder| !folder.is_empty());
        let config_dir = Some(PathBuf::from(named.map_or("config", String::as_str)));
        Self {
            env,
            config_dir,
            database_optional: false,
        }
    }
}

impl fmt::Debug for Sources {
    /// Names only: the values of an environment are full of secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sources")
            .field("env", &self.env.keys())
            .field("config_dir", &self.config_dir)
            .field("database_optional", &self.database_optional)
            .finish()
    }
}

/// The whole configuration, validated.
#[derive(Clone)]
pub struct Config {
    /// Which environment this is.
    pub env: AppEnv,
    /// Listeners, limits, shutdown.
    pub server: Arc<ServerConfig>,
    /// Postgres.
    pub database: DatabaseConfig,
    /// Valkey.
    pub valkey: ValkeyConfig,
    /// Logging.
    pub log: LogConfig,
    loaded: Arc<Loaded>,
}

/// A configuration that need not be right, for commands that look at it.
#[derive(Clone, Debug)]
pub struct Examined {
    /// As [`Config::shown`].
    pub shown: Vec<Shown>,
    /// The compiled modules that are switched on.
    pub enabled: Vec<&'static str>,
    /// What [`Config::load`] would fail with, a line each.
    pub problems: Vec<String>,
}

/// Everything that is wrong with a configuration, a line each.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

impl Config {
    /// Loads and checks everything. `known` are the names of all modules of the project, compiled in
    /// or not, so that enabling one that is not gets a line of its own.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn load(
        sources: &Sources,
        entries: &[Entry],
        known: &[&str],
    ) -> Result<Self, ConfigErrors> {
        Self::load_over(&BUILT_IN, sources, entries, known)
    }

    /// Reads everything as [`Config::load`] does and tells what it found, problems or not.
    pub fn examine(sources: &Sources, entries: &[Entry], known: &[&str]) -> Examined {
        let (loaded, problems) = load::load(&BUILT_IN, sources, entries, known);
        Examined {
            shown: shown::all(&loaded),
            enabled: loaded.enabled.iter().copied().collect(),
            problems: problems.lines,
        }
    }

    fn load_over(
        built_in: &BuiltIn,
        sources: &Sources,
        entries: &[Entry],
        known: &[&str],
    ) -> Result<Self, ConfigErrors> {
        let (loaded, problems) = load::load(built_in, sources, entries, known);
        if !problems.lines.is_empty() {
            return Err(ConfigErrors(problems.lines));
        }
        Self::of(loaded).map_err(|error| ConfigErrors(vec![error.to_string()]))
    }

    fn of(loaded: Loaded) -> Result<Self, BoxError> {
        Ok(Self {
            env: loaded.env,
            server: Arc::new(loaded.values.read(sections::SERVER)?),
            database: loaded.values.read(sections::DATABASE)?,
            valkey: loaded.values.read(sections::VALKEY)?,
            log: loaded.values.read(sections::LOG)?,
            loaded: Arc::new(loaded),
        })
    }

    /// Whether a compiled module is switched on.
    pub fn is_enabled(&self, module: &str) -> bool {
        self.loaded.enabled.contains(module)
    }

    /// A module's section.
    ///
    /// # Errors
    /// When it does not fit its type; `load` has checked that.
    pub fn section<S: Section>(&self, name: &str) -> Result<S, BoxError> {
        self.loaded.values.read(name)
    }

    /// Every value with its origin, secrets redacted.
    pub fn shown(&self) -> Vec<Shown> {
        shown::all(&self.loaded)
    }

    /// Combinations that are legal but risky, a sentence each, for the log at start.
    pub fn warnings(&self) -> Vec<String> {
        warnings::of(self)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.shown()).finish()
    }
}
