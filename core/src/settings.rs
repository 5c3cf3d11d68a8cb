//! Runtime configuration: typed settings kept in Postgres (`app_config`), cached in each process.
//!
//! A module declares a setting in `build` and keeps the handle; reading it is a pointer load. A change
//! is written to Postgres and told on the bus; every process also reads the table every 30 s, so that
//! a change is seen with the bus down too. Who wants to know of changes listens to
//! [`Settings::changes`], which tells once the cache holds the new value. A stored value that no longer
//! fits its type is logged and the value before it kept.

mod changing;
mod shape;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::broadcast;
use tracing::warn;
use utoipa::ToSchema;

use crate::bus::Bus;
use crate::nul;
use crate::pg::{Db, DbError, Query};
use crate::ports::AdminRole;

pub use changing::{Change, SettingRow};

/// The bus topic on which a changed key is told.
pub const TOPIC: &str = "settings";

/// How many changes a slow listener may be behind.
const CHANGES_KEPT: usize = 64;

/// A type that can be a setting.
pub trait SettingValue: Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// Who may change it. What moves money is the owners' alone.
    const CHANGED_BY: AdminRole = AdminRole::Operator;

    /// Checks what the type alone cannot say.
    ///
    /// # Errors
    /// What does not fit, and where.
    fn validate(&self) -> Result<(), Misfit> {
        Ok(())
    }
}

/// What does not fit in a value of the right type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where in the value: `[1].minutes`; empty for all of it.
    pub path: String,
    /// A sentence for the operator.
    pub message: String,
}

impl Misfit {
    /// At a place in the value.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// Nobody declared it.
    #[error("no setting is called {0}")]
    Unknown(String),
    /// It does not fit.
    #[error("{}{message}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
    Wrong {
        /// Where in the value; empty for all of it.
        path: String,
        /// A sentence for the operator.
        message: String,
    },
}

/// A handle on one setting.
pub struct Setting<T>(Arc<ArcSwap<T>>);

impl<T> Clone for Setting<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Setting<T> {
    /// The current value.
    pub fn get(&self) -> Arc<T> {
        self.0.load_full()
    }
}

/// Takes or refuses a value.
type Judge = Box<dyn Fn(&Value) -> Result<(), SettingError> + Send + Sync>;

/// A declared setting, its type erased.
struct Declared {
    description: &'static str,
    changed_by: AdminRole,
    schema: Value,
    default: Value,
    current: Value,
    apply: Judge,
    check: Judge,
}

/// All settings of the process. Clones share them.
#[derive(Clone)]
pub struct Settings {
    declared: Arc<Mutex<BTreeMap<&'static str, Declared>>>,
    changes: broadcast::Sender<&'static str>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            declared: Arc::default(),
            changes: broadcast::Sender::new(CHANGES_KEPT),
        }
    }
}

impl Settings {
    /// Declares a setting; called in a module's `build`.
    ///
    /// # Panics
    /// When the default cannot be written as JSON, which the first start would find.
    pub fn declare<T: SettingValue>(
        &self,
        key: &'static str,
        description: &'static str,
        default: T,
    ) -> Setting<T> {
        let json = serde_json::to_value(&default).unwrap_or(Value::Null);
        let cell = Arc::new(ArcSwap::from_pointee(default));
        let target = cell.clone();
        let declared = Declared {
            description,
            changed_by: T::CHANGED_BY,
            schema: shape::of::<T>(),
            current: json.clone(),
            default: json,
            apply: Box::new(move |value| {
                target.store(Arc::new(parse::<T>(value)?));
                Ok(())
            }),
            check: Box::new(|value| parse::<T>(value).map(|_| ())),
        };
        self.lock().insert(key, declared);
        Setting(cell)
    }

    /// Key, description and default of every declared setting.
    pub fn declared(&self) -> Vec<(&'static str, &'static str, Value)> {
        self.lock()
            .iter()
            .map(|(key, it)| (*key, it.description, it.default.clone()))
            .collect()
    }

    /// Checks a value before it is written.
    ///
    /// # Errors
    /// See [`SettingError`].
    pub fn check(&self, key: &str, value: &Value) -> Result<(), SettingError> {
        match self.lock().get(key) {
            Some(declared) => (declared.check)(value),
            None => Err(SettingError::Unknown(key.to_owned())),
        }
    }

    /// Reads the table into the cache.
    ///
    /// # Errors
    /// When Postgres does not answer; the cache stays as it was.
    pub async fn refresh(&self, db: &Db) -> Result<(), DbError> {
        let rows = db.rows("SELECT key, value FROM app_config", &[]).await?;
        let mut declared = self.lock();
        for row in rows {
            let (stored, value): (String, Value) = (row.get(0), row.get(1));
            let Some((key, setting)) = declared
                .iter_mut()
                .find(|(key, setting)| **key == stored && setting.current != value)
            else {
                continue;
            };
            match (setting.apply)(&value) {
                Ok(()) => {
                    setting.current = value;
                    // Nobody needs to listen.
                    let _ = self.changes.send(key);
                }
                Err(problem) => warn!(
                    key,
                    %problem, "a stored setting does not fit; the value before it stays"
                ),
            }
        }
        Ok(())
    }

    /// The keys of settings that change, each once this process's cache holds the new value.
    pub fn changes(&self) -> broadcast::Receiver<&'static str> {
        self.changes.subscribe()
    }

    /// Writes the defaults of settings that have no row yet; how many were written.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn seed(&self, db: &Db) -> Result<u64, DbError> {
        let mut written = 0;
        for (key, _, default) in self.declared() {
            const SQL: &str =
                "INSERT INTO app_config (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
            written += db.execute(SQL, &[&key, &default]).await?;
        }
        Ok(written)
    }

    /// Tells every process that a key has changed; after the commit of the change.
    pub fn announce(&self, bus: &Bus, key: &str) {
        bus.publish(TOPIC, key.as_bytes().to_vec());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Declared>> {
        self.declared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse<T: SettingValue>(value: &Value) -> Result<T, SettingError> {
    let wrong = |path: String, message: String| SettingError::Wrong { path, message };
    if let Some(path) = nul::path(value) {
        return Err(wrong(path, nul::MESSAGE.to_owned()));
    }
    let parsed: T = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        wrong(path, error.inner().to_string())
    })?;
    let checked = parsed.validate();
    checked.map_err(|misfit| wrong(misfit.path, misfit.message))?;
    Ok(parsed)
}
