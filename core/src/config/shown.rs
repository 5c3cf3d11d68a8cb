//! What `config show` prints.

use super::environment::APP_ENV;
use super::load::Loaded;
use super::schema::Row;
use super::value;

/// What is shown of a secret that is set.
pub(super) const REDACTED: &str = "[redacted]";

/// One value as `config show` prints it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Shown {
    /// The section and key: `chat.pairing_timeout_seconds`.
    pub key: String,
    /// The environment variable that sets it.
    pub variable: Option<String>,
    /// The value; `[redacted]` for a secret that is set.
    pub value: String,
    /// Where it came from: a file's path, `environment`, `environment (NAME_FILE)`, `built in`.
    pub origin: String,
}

/// Every value with its origin, secrets redacted.
pub(super) fn all(loaded: &Loaded) -> Vec<Shown> {
    let env = Shown {
        key: APP_ENV.to_lowercase(),
        variable: Some(APP_ENV.to_owned()),
        value: loaded.env.to_string(),
        origin: loaded.env_origin.shown(APP_ENV),
    };
    std::iter::once(env)
        .chain(loaded.schema.rows.iter().map(|row| one(loaded, row)))
        .collect()
}

fn one(loaded: &Loaded, row: &Row) -> Shown {
    let text = loaded
        .values
        .get(row)
        .as_ref()
        .map(value::text)
        .unwrap_or_default();
    let is_hidden = row.kind.is_secret() && !text.is_empty();
    Shown {
        key: row.to_string(),
        variable: Some(row.variable.clone()),
        value: if is_hidden { REDACTED.to_owned() } else { text },
        origin: loaded.values.origin(row).shown(&row.variable),
    }
}
