//! What a section is: a typed part of the configuration, owned by whoever uses it.
//!
//! A section's `VARIABLES` are the whole truth about its keys: a key without a row there is refused in
//! files, cannot be set by the environment and is not shown. An empty text counts as absent, so an
//! `Option` field is `None`, a field with `#[serde(default)]` takes that, and any other is reported as
//! required. `enabled` is core's: a section never declares it.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;

use super::{AppEnv, Variable};
use crate::ports::Capability;

/// A typed part of the configuration, owned by whoever uses it. Types use `deny_unknown_fields`.
pub trait Section: DeserializeOwned + Send + 'static {
    /// The environment variables that set its keys, a row for every key.
    const VARIABLES: &'static [Variable];
    /// Its keys with their values as TOML, `enabled` included: for a module whose section is not in this
    /// repository's `config/default.toml`, which is laid over it.
    const DEFAULTS: &'static str = "";

    /// Checks what types alone cannot say. Problems name a key of this section, say what is accepted
    /// and never quote a secret.
    fn validate(&self, env: AppEnv) -> Vec<Invalid> {
        let _ = env;
        Vec::new()
    }

    /// Checks what depends on what the enabled modules provide: a value may be needed only where
    /// nobody does. Beside [`Section::validate`], under the same rules.
    fn validate_with(&self, env: AppEnv, provided: &BTreeSet<Capability>) -> Vec<Invalid> {
        let _ = (env, provided);
        Vec::new()
    }

    /// Checks what depends on our own address as the world sees it, `PUBLIC_BASE_URL`. Beside
    /// [`Section::validate`], under the same rules.
    fn validate_at(&self, public_base_url: &str) -> Vec<Invalid> {
        let _ = public_base_url;
        Vec::new()
    }
}

/// A section without keys of its own: the module is on unless it is switched off.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

impl Section for NoConfig {
    const VARIABLES: &'static [Variable] = &[];
    const DEFAULTS: &'static str = "enabled = true";
}

/// A value that parses and is still wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The key in the section.
    pub key: &'static str,
    /// What is accepted.
    pub message: String,
}

impl Invalid {
    /// A problem with `key`.
    pub fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self {
            key,
            message: message.into(),
        }
    }
}

/// Collects what is wrong with a section: `Checks::default().range(…).require(…).invalid`.
#[derive(Debug, Default)]
pub struct Checks {
    /// What was found so far.
    pub invalid: Vec<Invalid>,
}

impl Checks {
    /// The value of `key` must lie in `range`.
    #[must_use]
    pub fn range<T>(self, key: &'static str, value: T, range: RangeInclusive<T>) -> Self
    where
        T: PartialOrd + Display,
    {
        let (least, most) = (range.start(), range.end());
        let message = format!("expected {least} to {most}, got {value}");
        self.require(key, range.contains(&value), message)
    }

    /// Something about `key` must hold; `message` says what is accepted.
    #[must_use]
    pub fn require(mut self, key: &'static str, holds: bool, message: impl Into<String>) -> Self {
        if !holds {
            self.invalid.push(Invalid::new(key, message));
        }
        self
    }
}

/// A section with its type erased.
#[derive(Clone, Copy)]
pub struct SectionSpec {
    /// The table's name in the files.
    pub name: &'static str,
    /// The environment variables that set its keys.
    pub variables: &'static [Variable],
    /// [`Section::DEFAULTS`]
    pub defaults: &'static str,
    pub(super) check: CheckFn,
}

/// Where a section is checked.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) env: AppEnv,
    /// By the enabled modules.
    pub(super) provided: &'a BTreeSet<Capability>,
    /// Our own address, whatever is wrong with it.
    pub(super) public_base_url: &'a str,
}

/// Reads a section and validates it; an error is about the first value that does not fit its type.
type CheckFn = fn(&Dict, Scene<'_>) -> Result<Vec<Invalid>, Box<figment::Error>>;

impl SectionSpec {
    /// Erases a section's type.
    pub const fn of<S: Section>(name: &'static str) -> Self {
        Self {
            name,
            variables: S::VARIABLES,
            defaults: S::DEFAULTS,
            check: check::<S>,
        }
    }
}

/// A section's values as its type.
pub(super) fn read<S: Section>(values: &Dict) -> Result<S, Box<figment::Error>> {
    Ok(Value::from(values.clone()).deserialize()?)
}

fn check<S: Section>(values: &Dict, scene: Scene<'_>) -> Result<Vec<Invalid>, Box<figment::Error>> {
    let section = read::<S>(values)?;
    let mut invalid = section.validate(scene.env);
    invalid.extend(section.validate_with(scene.env, scene.provided));
    invalid.extend(section.validate_at(scene.public_base_url));
    Ok(invalid)
}
